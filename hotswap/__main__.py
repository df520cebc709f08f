"""``python -m hotswap``: the same as the console script."""

import sys

from hotswap.cli import main

if __name__ == "__main__":
    sys.exit(main())
