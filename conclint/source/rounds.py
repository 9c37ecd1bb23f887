"""Whether the rounds of a loop could run at the same time, as far as one call in it is concerned."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from conclint.source.literals import target_names
from conclint.source.tree import below

LEAVES = (cst.Break, cst.Return, cst.Yield, cst.Await, cst.Try)
CHANGING = frozenset({"append", "add", "update", "extend"})


def dependent(loop: cst.CSTNode, called: cst.CSTNode, given: Iterable[cst.CSTNode]) -> bool:
    """Whether what is called belongs to the round, or a round needs what an earlier one brought."""
    changing: set[str] = set()
    if isinstance(loop, cst.For):
        if any(isinstance(part, LEAVES) for part in below(loop.body)):
            return True
        changing = _changed(loop.body)
    function = _names(called)
    return bool(function & (changing | items(loop)) or set().union(*map(_names, given)) & changing)


def items(loop: cst.CSTNode) -> set[str]:
    """The names that stand for one item."""
    target = loop.target if isinstance(loop, cst.For) else getattr(getattr(loop, "for_in", None), "target", None)
    return set(target_names(target)) if isinstance(target, cst.BaseExpression) else set()


def _names(node: cst.CSTNode) -> set[str]:
    return {part.value for part in below(node) if isinstance(part, cst.Name)}


def _changed(body: cst.CSTNode) -> set[str]:
    """What a round assigns, or changes by a method."""
    found: set[str] = set()
    for part in below(body):
        if isinstance(part, (cst.AssignTarget, cst.AugAssign, cst.AnnAssign)):
            found.update(target_names(part.target))
        elif isinstance(part, cst.Attribute) and isinstance(part.value, cst.Name) and part.attr.value in CHANGING:
            found.add(part.value.value)
    return found
