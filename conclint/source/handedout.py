"""Whether a function gives a piece of state itself to its caller, rather than a copy."""

from __future__ import annotations

import libcst as cst

from conclint.source.acts import VIEWS, State
from conclint.source.paths import path_of
from conclint.source.questions import same_function
from conclint.source.source import Source


def handed_out(source: Source, node: State) -> bool:
    """`return self.x`, `return self.x, 1`, `return self.x.items()`, `rows = self.x` and then `return rows`."""
    whole = _viewed(source, node)
    outer = source.parent(whole)
    if isinstance(outer, cst.Element) and isinstance(source.parent(outer), cst.Tuple):
        outer = source.parent(source.parent(outer) or outer)
    if isinstance(outer, cst.Return):
        return True
    return isinstance(outer, cst.Assign) and outer.value is whole and _given_by_name(source, node, outer)


def _viewed(source: Source, node: State) -> cst.CSTNode:
    """The view through `items()` and its like, where there is one: it shows what the container has at any time."""
    outer = source.parent(node)
    call = source.parent(outer) if isinstance(outer, cst.Attribute) and outer.attr.value in VIEWS else None
    return call if isinstance(call, cst.Call) and call.func is outer else node


def _given_by_name(source: Source, node: State, statement: cst.Assign) -> bool:
    """Whether the variable is returned, and the state is not given up for something new meanwhile."""
    function, target = source.function_node(node), statement.targets[0].target
    if not isinstance(function, cst.FunctionDef) or not isinstance(target, cst.Name) or len(statement.targets) > 1:
        return False
    parts = list(same_function(function.body))
    bound = [path_of(part.target) for part in parts if isinstance(part, cst.AssignTarget)]
    returned = any(isinstance(part, cst.Return) and path_of(part.value) == target.value for part in parts)
    return returned and bound.count(target.value) == 1 and path_of(node) not in bound
