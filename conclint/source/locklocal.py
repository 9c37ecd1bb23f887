"""Locks that one call makes for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.source.lockuse import STANDARD_ROOTS, body_nodes
from conclint.source.testcode import in_test
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

# What can be done with a lock without anybody else getting hold of it.
USED = frozenset({"acquire", "release", "locked"})


class LocalLock(NamedTuple):
    """`name = Lock()` in a function, and every other place where the name stands there."""

    made: cst.Call
    name: str
    uses: tuple[cst.Name, ...]


def makes_lock(source: Source, call: cst.CSTNode) -> bool:
    """Whether the call makes one of the standard library's locks."""
    if not isinstance(call, cst.Call):
        return False
    names = source.names(call.func)
    return any(name in source.knowledge.locks and name.startswith(STANDARD_ROOTS) for name in names)


def local_locks(source: Source) -> Iterator[LocalLock]:
    """The locks that are made in a function and used, but seen by nobody outside the call."""
    for assign in source.all(cst.Assign):
        target = assign.targets[0].target
        function = source.function_node(assign)
        if (
            len(assign.targets) == 1
            and isinstance(target, cst.Name)
            and isinstance(function, cst.FunctionDef)
            and isinstance(assign.value, cst.Call)
            and makes_lock(source, assign.value)
            and not in_test(source, assign)
        ):
            uses = _uses(source, function, target)
            if uses and all(_stays(source, name) for name in uses) and _protects(source, uses):
                yield LocalLock(assign.value, target.value, uses)


def _uses(source: Source, function: cst.FunctionDef, target: cst.Name) -> tuple[cst.Name, ...]:
    """Every other place in the function; none where a function inside, or `global`, has it too."""
    names = [node for node in below(function) if isinstance(node, cst.Name) and node.value == target.value]
    own = [node for node in body_nodes(function.body) if isinstance(node, cst.Name) and node.value == target.value]
    own = [node for node in own if not _is_word(source, node)]
    names = [node for node in names if not _is_word(source, node)]
    return tuple(node for node in own if node is not target) if len(own) == len(names) else ()


def _is_word(source: Source, name: cst.Name) -> bool:
    """`self.lock`, `f(lock=1)`: only the same word."""
    outer = source.parent(name)
    if isinstance(outer, cst.Attribute):
        return outer.attr is name
    return isinstance(outer, cst.Arg) and outer.keyword is name


def _stays(source: Source, name: cst.Name) -> bool:
    outer = source.parent(name)
    if isinstance(outer, cst.WithItem):
        return True
    if isinstance(outer, cst.Attribute) and outer.attr.value in USED:
        call = source.parent(outer)
        return isinstance(call, cst.Call) and call.func is outer
    return False


def _protects(source: Source, uses: tuple[cst.Name, ...]) -> bool:
    """Whether it is meant to keep somebody out: not to wait for nobody, by taking it twice."""
    methods = [outer.attr.value for name in uses if isinstance(outer := source.parent(name), cst.Attribute)]
    held = len(methods) < len(uses) or "acquire" in methods
    return held and methods.count("acquire") <= methods.count("release")
