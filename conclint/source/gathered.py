"""Objects that several tasks of one event loop get at once."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.knowledge.tasks import GATHERING, STARTING
from conclint.source.paths import path_of
from conclint.source.source import Source
from conclint.source.tree import below

Comprehension = cst.ListComp | cst.SetComp | cst.GeneratorExp
COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.GeneratorExp)


def given_to_tasks(source: Source, types: frozenset[str]) -> Iterator[tuple[cst.Call, cst.CSTNode]]:
    """Calls that start several tasks at once, with an object of one of the types that all of them have."""
    for call in source.all(cst.Call):
        if source.calls(call, *GATHERING):
            found = _gathered(source, call, types)
        elif source.calls(call, *STARTING):
            found = _started(source, call, types)
        else:
            continue
        if found is not None:
            yield call, found


def _gathered(source: Source, call: cst.Call, types: frozenset[str]) -> cst.CSTNode | None:
    seen: set[str] = set()
    for argument in call.args:
        each = _comprehension(source, argument.value)
        if each is not None:
            own = {path_of(part) for part in below(each.for_in.target)}
            for node in _objects(source, each.elt, types):
                if path_of(node) not in own:
                    return node
        elif not argument.star:
            inside = list(_objects(source, argument.value, types))
            for node in inside:
                if path_of(node) in seen:
                    return node
            seen.update(path_of(node) for node in inside)
    return None


def _comprehension(source: Source, value: cst.BaseExpression) -> Comprehension | None:
    """The comprehension that makes the coroutines, perhaps a line above."""
    if isinstance(value, COMPREHENSIONS):
        return value
    if not isinstance(value, cst.Name):
        return None
    around = source.function_node(value)
    for assignment in source.all(cst.Assign):
        named = any(path_of(target.target) == value.value for target in assignment.targets)
        if named and isinstance(assignment.value, COMPREHENSIONS) and source.function_node(assignment) is around:
            return assignment.value
    return None


def _started(source: Source, call: cst.Call, types: frozenset[str]) -> cst.CSTNode | None:
    """In a loop, with an object from outside of it."""
    loop = source.loop(call)
    if loop is None or not call.args:
        return None
    bound = {path_of(name) for name in _bound_in(loop)}
    return next((node for node in _objects(source, call.args[0].value, types) if path_of(node) not in bound), None)


def _bound_in(loop: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for node in below(loop):
        if isinstance(node, cst.AssignTarget):
            yield node.target
        elif isinstance(node, cst.AsName):
            yield node.name
        elif isinstance(node, (cst.For, cst.CompFor)):
            yield node.target


def _objects(source: Source, value: cst.CSTNode, types: frozenset[str]) -> Iterator[cst.CSTNode]:
    """Names of such objects in what makes a coroutine."""
    for node in below(value):
        if isinstance(node, (cst.Name, cst.Attribute)) and types & {*source.types(node)}:
            yield node
