"""What tasks keep in a `threading.local`: coroutines while others run, a pool's jobs for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.program.values import split_id
from conclint.source.literals import constant_text
from conclint.source.paths import path_of
from conclint.source.questions import is_last_part
from conclint.source.source import Source
from conclint.source.tree import below

LOCAL = "threading.local"
VARIABLE = "contextvars.ContextVar"
CHANGING = frozenset({"setattr", "delattr"})
ASKING = ("builtins.hasattr", "builtins.getattr", *(f"builtins.{name}" for name in sorted(CHANGING)))

Stop = cst.Await | cst.For | cst.With | cst.CompFor


def across_await(source: Source) -> Iterator[tuple[cst.Attribute, cst.CSTNode, cst.Attribute]]:
    """Attributes that a coroutine sets, with the first `await` after that, and the first use after it."""
    for assignment in source.all(cst.Assign):
        for target in assignment.targets:
            write = target.target
            if isinstance(write, cst.Attribute) and source.in_coroutine(write) and _is_local(source, write.value):
                found = _used_later(source, write)
                if found is not None and not _is_made_where_missing(source, write):
                    yield write, *found


def _is_local(source: Source, owner: cst.BaseExpression) -> bool:
    return LOCAL in source.types(owner)


def _used_later(source: Source, write: cst.Attribute) -> tuple[cst.CSTNode, cst.Attribute] | None:
    around = source.function_node(write)
    path, begin = path_of(write), source.sequence(write)
    wait: cst.CSTNode | None = None
    for node in below(around) if around is not None else ():
        if source.sequence(node) <= begin or source.function_node(node) is not around:
            continue
        if wait is None and _waits(node):
            wait = node
        if wait is not None and isinstance(node, cst.Attribute) and path_of(node) == path:
            return wait, node
    return None


def _waits(node: cst.CSTNode) -> bool:
    if isinstance(node, (cst.For, cst.With, cst.CompFor)):
        return node.asynchronous is not None
    return isinstance(node, cst.Await)


def _is_made_where_missing(source: Source, write: cst.Attribute) -> bool:
    """Below a test of the same attribute, or where it turned out to be missing: it is kept for the thread."""
    owner = path_of(write.value)
    for outer in source.ancestors(write):
        if isinstance(outer, cst.ExceptHandler):
            return True
        if isinstance(outer, cst.If) and any(path_of(part) == owner for part in below(outer.test)):
            return True
        if isinstance(outer, cst.FunctionDef):
            return False
    return False


class Setting(NamedTuple):
    """Where a task sets what its thread keeps: `local.name = …`, or `variable.set(…)` of a ContextVar.

    `owner` is the path of the object, `changes` are the paths with which it is set or reset, `read` the one to read it.
    """

    node: cst.CSTNode
    shown: cst.BaseExpression
    text: str
    owner: str
    changes: frozenset[str]
    read: str

    @property
    def is_context(self) -> bool:
        return isinstance(self.node, cst.Call)

    def is_changed_by(self, node: cst.CSTNode) -> bool:
        """Whether a statement or call sets or deletes the same."""
        if self.is_context:
            return isinstance(node, cst.Call) and path_of(node) in self.changes
        changing = isinstance(node, (cst.AssignTarget, cst.Del))
        return changing and any(path_of(part) in self.changes for part in below(node))


def settings(source: Source) -> Iterator[Setting]:
    """Every place where something is set for the thread."""
    for target in source.all(cst.AssignTarget):
        state = target.target
        if isinstance(state, cst.Attribute) and LOCAL in source.types(state.value):
            path = path_of(state)
            yield Setting(target, state, source.code(state), path_of(state.value), frozenset({path}), path)
    for call in source.all(cst.Call):
        func = call.func
        if isinstance(func, cst.Attribute) and func.attr.value == "set" and VARIABLE in source.types(func.value):
            owner = path_of(func.value)
            changes = frozenset({f"{owner}.set()", f"{owner}.reset()"})
            yield Setting(call, call, source.code(func.value), owner, changes, f"{owner}.get()")


def uses(source: Source, function: cst.CSTNode, one: Setting) -> Iterator[cst.CSTNode]:
    """Where a function reads the same, or hands the object on."""
    for node in source.inside(function, cst.Attribute):
        if path_of(node) == one.read:
            yield node
    for call in source.inside(function, cst.Call):
        given = [path_of(arg.value) for arg in call.args]
        asked = constant_text(call.args[1].value) if len(given) > 1 else ""
        by_name = source.calls(call, *ASKING) and asked and f"{one.owner}.{asked}" != one.read
        if path_of(call) == one.read or (one.owner in given and not by_name):
            yield call


def asks(source: Source, test: cst.BaseExpression, local: str) -> bool:
    """Whether a test asks what the thread has already: itself, or by a name that was bound to that."""
    names = {part.value for part in below(test) if isinstance(part, cst.Name)}
    function = source.function_node(test)
    bound = [test, *(one.value for one in _bindings(source, function, names))] if function is not None else [test]
    parts = (part for value in bound for part in below(value))
    return any(path_of(part).startswith(local) and not _is_attribute(source, part) for part in parts)


def _is_attribute(source: Source, part: cst.CSTNode) -> bool:
    return isinstance(part, cst.Name) and is_last_part(source, part)


def _bindings(source: Source, function: cst.CSTNode, names: set[str]) -> Iterator[cst.Assign | cst.NamedExpr]:
    for one in source.inside(function, cst.Assign):
        if any(isinstance(target.target, cst.Name) and target.target.value in names for target in one.targets):
            yield one
    yield from (one for one in source.inside(function, cst.NamedExpr) if path_of(one.target) in names)


def resets(source: Source, one: Setting) -> bool:
    """Whether a helper that the function calls sets or clears the same, or may: who knows the object as well."""
    owner = one.shown.func if isinstance(one.shown, cst.Call) else one.shown
    store = source.named(owner.value).store if isinstance(owner, cst.Attribute) else None
    function = source.function_node(one.node)
    for call in source.inside(function, cst.Call) if function is not None else ():
        for identity in source.named(call.func).functions:
            path, qualname = split_id(identity)
            elsewhere = path != source.path and store is not None and store.owner == path
            if elsewhere or (path == source.path and _clears(source, qualname.rpartition(".")[2], one)):
                return True
    return False


def _clears(source: Source, helper: str, one: Setting) -> bool:
    """Whether a function of this file with the name does something to the same."""
    for node in source.whole.all(cst.FunctionDef):
        if not isinstance(node, cst.FunctionDef) or node.name.value != helper:
            continue
        for part in below(node):
            if one.is_changed_by(part):
                return True
            if isinstance(part, cst.Call) and path_of(part.func).startswith(f"{one.owner}.__dict__"):
                return True
            changing = isinstance(part, cst.Call) and path_of(part.func) in CHANGING
            if isinstance(part, cst.Call) and changing and path_of(part.args[0].value) == one.owner:
                return True
    return False
