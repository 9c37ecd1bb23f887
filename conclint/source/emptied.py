"""Containers whose items are used, and which are emptied a moment later, as if nothing came in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.program.observations import EMPTIED, SPENT, Act
from conclint.source.acts import LAZY, VIEWS, Done, State, act_of
from conclint.source.paths import path_of
from conclint.source.questions import assigned, same_function

if TYPE_CHECKING:
    from conclint.source.locks import Locks
    from conclint.source.source import Source

# What gives a container without items.
MAKERS = frozenset({"list", "dict", "set", "deque", "defaultdict", "OrderedDict", "Counter"})

# What takes every item of what it is given.
COPIES = frozenset({"list", "tuple", "dict", "set", "frozenset", "sorted", "deque", "copy", "deepcopy", "OrderedDict"})
TAKES_ALL = frozenset({*COPIES, *LAZY, "extend", "update", "extendleft", "join", "writelines", "sum", "dumps"})

# What looks at it, or only names it.
LOOKS = frozenset({"len", "bool", "any", "all", "id", "isinstance", "repr", "str", "print", "type", "max", "min"})


def emptied(source: Source, locks: Locks, node: State, done: Done) -> Done | None:
    """The act as one of two steps: the items were used before, under no lock that lasts until they are thrown away."""
    if not (done.operation == "clear" or (done.act is Act.REPLACE and is_empty(assigned(source, node)))):
        return None
    path, held = path_of(node), locks.held(node)
    for line in _before(source, node):
        for part in same_function(line):
            if not isinstance(part, (cst.Name, cst.Attribute)) or path_of(part) != path:
                continue
            if act_of(source, part).act.writes:
                return None  # taken out one by one, or exchanged
            how = _taken(source, part)
            if how and locks.held(part) == held:
                return Done(Act.COMPOUND, how, resizes=done.act is Act.CHANGE)  # who walks over the old one goes on
    return None


def is_empty(value: cst.BaseExpression | None) -> bool:
    if isinstance(value, (cst.List, cst.Dict)):
        return not value.elements
    if not isinstance(value, cst.Call):
        return False
    name = path_of(value.func).rpartition(".")[2]
    return name in MAKERS and (not value.args or name in ("defaultdict", "deque"))


def _before(source: Source, node: State) -> Iterator[cst.CSTNode]:
    """The statements in front of it in the same block, nearest first."""
    statement = source.statement(node)
    block = source.parent(statement)
    lines = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else []
    place = next((number for number, line in enumerate(lines) if line is statement), 0)
    yield from reversed(lines[:place])


def _taken(source: Source, part: State) -> str:
    """Whether all its items are used there: surely (`list(x)`, `for item in x`), or by whatever gets the container."""
    child: cst.CSTNode = part
    outer = source.parent(part)
    view = source.parent(outer) if isinstance(outer, cst.Attribute) and outer.value is part else None
    if isinstance(outer, cst.Attribute) and isinstance(view, cst.Call) and view.func is outer:
        if outer.attr.value == "copy":
            return EMPTIED
        if outer.attr.value not in VIEWS:
            return ""
        outer, child = source.parent(view), view
    if isinstance(outer, (cst.For, cst.CompFor)) and outer.iter is child:
        return EMPTIED
    if isinstance(outer, (cst.StarredElement, cst.StarredDictElement)):
        return EMPTIED
    if isinstance(outer, cst.Subscript):
        return EMPTIED if source.code(outer).endswith("[:]") else ""
    return _given(source, outer) if isinstance(outer, cst.Arg) else ""


def _given(source: Source, argument: cst.Arg) -> str:
    call = source.parent(argument)
    name = path_of(call.func).rpartition(".")[2] if isinstance(call, cst.Call) else ""
    if argument.star or name in TAKES_ALL:
        return EMPTIED
    return "" if not name or name in LOOKS else SPENT
