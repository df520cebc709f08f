"""Stages 4 and 5 for small edits: of two texts only the region that differs is parsed, so the cost is that of the edit.

A region begins one statement before the first line that differs, as that one may go on (``else:``, a decorator), and
ends where an old statement starts behind the last. It is looked for in the body of a class as well, which is then
parsed under an empty class. What does not parse alone, and whatever else is out of the ordinary, is left to the plain
route: `compare` returns None, and the whole text is read.
"""

from hotswap._regions._compare import compare
from hotswap._regions._index import Block, Index, Place, index_of
from hotswap._regions._parts import Part, Region, Span

__all__ = ["Block", "Index", "Part", "Place", "Region", "Span", "compare", "index_of"]
