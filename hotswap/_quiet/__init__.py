"""Quiet statements: those that may be run again without anybody noticing but through the names that they bind.

A value is recomputed when what it was computed from changed; state is kept. What of a module is which, nobody has said:
this package finds out from the code alone, without running any of it. It is a small interpreter that follows what a
statement would do over what is known of the values, and stops at the first thing that somebody else could see.

A folder, as it would be twice as long as a file may be. From below: `_calls` is the table, data only; `_table` finds
its entries; `_values` is what can be known of a value, `_annotated` what is taken for a builtin one, `_scope` where
names are looked up; `_results` what comes out of listed calls, `_items` what is in containers that the code made,
`_targets` what the parts of a target get; `_access`, `_entries` and `_callees` say what a use or a call runs;
`_expressions` and `_statements` walk the code.
"""

from hotswap._quiet._effects import effect
from hotswap._quiet._scope import NamespaceScope, Scope
from hotswap._quiet._statements import unquiet
from hotswap._quiet._table import TABLE, Table, extend
from hotswap._quiet._values import ANYTHING, MISSING, Definition

__all__ = [
    "ANYTHING",
    "MISSING",
    "TABLE",
    "Definition",
    "NamespaceScope",
    "Scope",
    "Table",
    "effect",
    "extend",
    "unquiet",
]
