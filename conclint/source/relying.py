"""Uses that rest on a test of a moment ago: of what is tested itself, or of an item that was there."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from conclint.program.observations import LOOKED_UP
from conclint.source.acts import State
from conclint.source.locks import Locks
from conclint.source.paths import path_of
from conclint.source.questions import same_function
from conclint.source.source import Source
from conclint.source.testcode import forgives


def relied_on(source: Source, locks: Locks, node: State, key: str, blocks: Iterable[cst.CSTNode]) -> str | None:
    """How what is there according to the test is used in the blocks, read once more; None where it is not.

    `if self.x: self.x.close()`, "", or with a key `if k in self.d: use(self.d[k])`.
    """
    for block in blocks:
        for part in _others(source, node, block):
            outer = source.parent(part)
            if key:
                if _looks_up(source, outer, part, key) and locks.held(part) == locks.held(node):
                    return LOOKED_UP
                continue
            used = isinstance(outer, (cst.Attribute, cst.Subscript)) and outer.value is part
            used = (used or isinstance(outer, cst.BinaryOperation)) and not forgives(source, part)
            return "" if used and locks.held(part) == locks.held(node) else None
    return None


def _others(source: Source, node: State, block: cst.CSTNode) -> list[State]:
    """The other places in the block that name the same."""
    path = path_of(node)
    names = (part for part in same_function(block) if isinstance(part, (cst.Name, cst.Attribute)))
    return [part for part in names if path_of(part) == path and part is not node]


def _looks_up(source: Source, item: cst.CSTNode | None, part: State, key: str) -> bool:
    """Whether the item itself is read there, and a KeyError would surprise."""
    if not isinstance(item, cst.Subscript) or item.value is not part:
        return False
    if isinstance(source.parent(item), (cst.AssignTarget, cst.Del)):
        return False
    same = ",".join(source.code(one.slice) for one in item.slice) == key
    return same and not forgives(source, part, "KeyError", "LookupError")
