"""What functions do while they hold locks."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.program.observations import Acquire, Critical
from conclint.source.paths import path_of
from conclint.source.source import Source
from conclint.source.tree import below


class Held:
    """Finds acquisitions, and calls made while locks are held, in the functions that the scene names."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._locks = source.locks
        self._wanted = frozenset(source.scene.lockers)

    def acquires(self) -> Iterator[Acquire]:
        """Every lock that is taken, with those that are held already."""
        for block in self._source.all(cst.With):
            if self._source.qualname(block) in self._wanted:
                yield from self._entered(block)
        for call in self._source.all(cst.Call):
            func = call.func
            named = isinstance(func, cst.Attribute) and func.attr.value == "acquire"
            if isinstance(func, cst.Attribute) and named and self._source.qualname(call) in self._wanted:
                yield from self._acquired(func.value, call, self._locks.held(call))

    def _entered(self, block: cst.With) -> Iterator[Acquire]:
        held = self._locks.held(block)
        for item in block.items:
            for one in self._acquired(item.item, item.item, held):
                yield one
                held = (*held, one.lock)

    def _acquired(self, expression: cst.BaseExpression, node: cst.CSTNode, held: tuple[str, ...]) -> Iterator[Acquire]:
        for lock in self._locks.lock(expression):
            identity = self._source.identity(node)
            yield Acquire(identity, lock, self._source.place(node), path_of(expression), held)

    def criticals(self) -> Iterator[Critical]:
        """Every call that is made while a lock is held."""
        for function in self._source.all(cst.FunctionDef):
            if self._source.qualname_of(function) in self._wanted:
                yield from self._calls(function)

    def _calls(self, function: cst.FunctionDef) -> Iterator[Critical]:
        identity = f"{self._source.path}:{self._source.qualname_of(function)}"
        for node in below(function.body):
            if isinstance(node, cst.Call) and self._source.function_node(node) is function:
                held = self._locks.held(node)
                if held:
                    yield Critical(identity, self._source.place(node), path_of(node.func), held)
            elif isinstance(node, cst.Attribute) and self._is_property(node) and (held := self._locks.held(node)):
                yield Critical(identity, self._source.place(node), path_of(node), held, read=True)

    def _is_property(self, node: cst.Attribute) -> bool:
        """Whether it reads a property of the function's own object."""
        own = isinstance(node.value, cst.Name) and "builtins.property" in self._source.names(node)
        return own and not isinstance(self._source.parent(node), (cst.AssignTarget, cst.AugAssign))
