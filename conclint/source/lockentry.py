"""Whether a function may be entered with a lock held already: whoever then takes a plain lock again waits for ever."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.source.paths import path_of
from conclint.source.source import Source
from conclint.source.tree import Region


def may_hold(source: Source, node: cst.CSTNode, lock: str) -> bool:
    """Whether somebody in the file may come to the node with the lock of that name held, told by names alone."""
    entries = _Entries(source.whole, lock)
    here = source.nearest(node, cst.FunctionDef)
    return entries.holds_in(source, node) or (here is not None and entries.held_at_line(source.line(here)))


class _Entries:
    """Follows the functions that name each other backwards, until one names the next with the lock held."""

    def __init__(self, file: Region, lock: str) -> None:
        self._file = file
        self._lock = lock
        self._seen: list[cst.CSTNode] = []

    def holds_in(self, source: Source, node: cst.CSTNode) -> bool:
        return any(self._takes(outer) for outer in source.ancestors(node))

    def held_at_line(self, line: int) -> bool:
        return any(self._held_in(one) for one in self._file.all(cst.FunctionDef) if self._file.first_line(one) == line)

    def _held_in(self, function: cst.CSTNode) -> bool:
        if not isinstance(function, cst.FunctionDef) or any(function is one for one in self._seen):
            return False
        self._seen.append(function)
        # Who calls the function around it is likely to call this one.
        return self._comes_held(function) or any(self._comes_held(one) for one in self._mentions(function))

    def _comes_held(self, node: cst.CSTNode) -> bool:
        """Whether the lock is held there, or where the function around it is entered."""
        outer = self._file.parent(node)
        while outer is not None:
            if self._takes(outer):
                return True
            if isinstance(outer, cst.FunctionDef):
                return self._acquires(outer) or self._held_in(outer)
            outer = self._file.parent(outer)
        return False

    def _takes(self, node: cst.CSTNode) -> bool:
        return isinstance(node, cst.With) and any(self._is_lock(item.item) for item in node.items)

    def _acquires(self, function: cst.FunctionDef) -> bool:
        calls = (one.func for one in self._file.inside(function, cst.Call))
        return any(
            isinstance(func, cst.Attribute) and func.attr.value == "acquire" and self._is_lock(func.value)
            for func in calls
        )

    def _is_lock(self, expression: cst.BaseExpression) -> bool:
        return path_of(expression).rpartition(".")[2] == self._lock

    def _mentions(self, function: cst.FunctionDef) -> Iterator[cst.CSTNode]:
        """Where the file says the function's name: a method's behind `self`, another's alone."""
        name, block = function.name.value, self._file.parent(function)
        if block is not None and isinstance(self._file.parent(block), cst.ClassDef):
            paths = self._file.all(cst.Attribute)
            yield from (one for one in paths if one.attr.value == name and self._is_own(one.value))
            return
        names = self._file.all(cst.Name)
        yield from (one for one in names if one.value == name and one is not function.name)

    def _is_own(self, node: cst.CSTNode) -> bool:
        """Whether the node is the first parameter of a function around it."""
        outer = self._file.parent(node)
        while outer is not None and isinstance(node, cst.Name):
            first = outer.params.params[:1] if isinstance(outer, cst.FunctionDef) else ()
            if any(param.name.value == node.value for param in first):
                return True
            outer = self._file.parent(outer)
        return False
