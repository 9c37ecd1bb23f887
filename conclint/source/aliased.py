"""Containers that are walked over by another name: `names = self.names.keys()`, and then `for name in names`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from conclint.program.observations import Act
from conclint.source.acts import VIEWS, Done, State
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.locks import Locks
    from conclint.source.source import Source


def walked_by_name(source: Source, locks: Locks, node: State) -> Done | None:
    """The read as a walk, if it only gives the container, or a view of it, a name that a loop runs over."""
    value, view = _viewed(source, node)
    assign = source.parent(value)
    target = assign.targets[0].target if isinstance(assign, cst.Assign) and len(assign.targets) == 1 else None
    around = source.function_node(node)
    if not isinstance(target, cst.Name) or not isinstance(around, cst.FunctionDef):
        return None
    begin, held = source.sequence(value), locks.held(node)
    for loop in source.inside(around.body, cst.For):
        if isinstance(loop.iter, cst.Name) and loop.iter.value == target.value and source.sequence(loop) > begin:
            once = sum(isinstance(one, cst.AssignTarget) and _is(one.target, target) for one in below(around)) == 1
            return Done(Act.ITERATE, view or "for") if once and locks.held(loop) == held else None
    return None


def _viewed(source: Source, node: State) -> tuple[cst.CSTNode, str]:
    """The whole expression, and the view that it takes."""
    outer = source.parent(node)
    call = source.parent(outer) if isinstance(outer, cst.Attribute) and outer.value is node else None
    if isinstance(outer, cst.Attribute) and isinstance(call, cst.Call) and outer.attr.value in VIEWS and not call.args:
        return call, outer.attr.value
    return node, ""


def _is(one: cst.BaseExpression, name: cst.Name) -> bool:
    return isinstance(one, cst.Name) and one.value == name.value
