"""Whether a function gives a piece of state itself to its caller, rather than a copy."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import libcst as cst

from conclint.source.acts import VIEWS, State
from conclint.source.paths import path_of
from conclint.source.questions import same_function
from conclint.source.source import Source


class Doings(NamedTuple):
    """How often a function binds each path, and the paths that it returns."""

    bound: Counter[str]
    returned: frozenset[str]


class HandedOut:
    """Answers for one file; every function is looked through once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[cst.FunctionDef, Doings] = {}

    def is_handed_out(self, node: State) -> bool:
        """`return self.x`, `return self.x, 1`, `return self.x.items()`, `rows = self.x` and then `return rows`."""
        source, whole = self._source, _viewed(self._source, node)
        outer = source.parent(whole)
        if isinstance(outer, cst.Element) and isinstance(source.parent(outer), cst.Tuple):
            outer = source.parent(source.parent(outer) or outer)
        if isinstance(outer, cst.Return):
            return True
        return isinstance(outer, cst.Assign) and outer.value is whole and self._given_by_name(node, outer)

    def _given_by_name(self, node: State, statement: cst.Assign) -> bool:
        """Whether the variable is returned, and the state is not given up for something new meanwhile."""
        function, target = self._source.function_node(node), statement.targets[0].target
        if not isinstance(function, cst.FunctionDef) or not isinstance(target, cst.Name) or len(statement.targets) > 1:
            return False
        done = self._doings(function)
        return target.value in done.returned and done.bound[target.value] == 1 and not done.bound[path_of(node)]

    def _doings(self, function: cst.FunctionDef) -> Doings:
        known = self._known.get(function)
        if known is None:
            parts = list(same_function(function.body))
            bound = Counter(path_of(part.target) for part in parts if isinstance(part, cst.AssignTarget))
            returned = frozenset(path_of(part.value) for part in parts if isinstance(part, cst.Return))
            known = self._known[function] = Doings(bound, returned)
        return known


def _viewed(source: Source, node: State) -> cst.CSTNode:
    """The view through `items()` and its like, where there is one: it shows what the container has at any time."""
    outer = source.parent(node)
    call = source.parent(outer) if isinstance(outer, cst.Attribute) and outer.attr.value in VIEWS else None
    return call if isinstance(call, cst.Call) and call.func is outer else node
