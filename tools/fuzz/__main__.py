"""``python tools/fuzz``: see `fuzz`. The comparison is that of ``tools/replay``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "replay"))
sys.path.insert(0, str(Path(__file__).parents[2]))

from fuzz import main

sys.exit(main())
