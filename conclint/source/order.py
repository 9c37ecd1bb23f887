"""What surely happens before what within one function: starts that come later, joins that came first."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.source.paths import path_of
from conclint.source.source import Source
from conclint.source.tree import below

STARTS = frozenset(
    "start submit map apply_async map_async starmap starmap_async imap imap_unordered apply starmap run_in_executor to_thread "
    "Thread Process Timer start_new_thread".split()
)
JOINS = frozenset({"join", "shutdown", "result", "wait", "terminate", "stop", "close"})
POOLS = ("concurrent.futures.Executor", "multiprocessing.pool.Pool")

Lines = tuple[int, int]


class Order:
    """Order of starts and joins around nodes of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._marks: dict[cst.CSTNode | None, list[cst.Call]] | None = None

    def before(self, node: cst.CSTNode) -> tuple[int, ...]:
        """Lines of the starting calls of this function that surely come after the node."""
        marks = self._of(self._source.function_node(node))
        if not marks:
            return ()
        here, loops = self._source.sequence(node), self._loops(node)
        return tuple(
            self._source.span(mark).line
            for mark in marks
            if self._source.sequence(mark) > here and not loops & self._loops(mark)
        )

    def after(self, node: cst.CSTNode) -> tuple[Lines, ...]:
        """First and last lines of the joins, and of the pools' `with` blocks, that surely ended before the node."""
        found: list[Lines] = []
        child = node
        for outer in self._source.ancestors(node):
            if isinstance(outer, (cst.IndentedBlock, cst.Module)):
                for statement in outer.body:
                    if statement is child:
                        break
                    found += self._ended(statement)
            elif isinstance(outer, (cst.FunctionDef, cst.Lambda, cst.ClassDef)) and child is getattr(outer, "body", None):
                break
            child = outer
        return tuple(found)

    def _loops(self, node: cst.CSTNode) -> set[cst.CSTNode]:
        return {outer for outer in self._source.ancestors(node) if isinstance(outer, (cst.For, cst.While))}

    def _of(self, function: cst.CSTNode | None) -> list[cst.Call]:
        """The starting calls of a function."""
        if self._marks is None:
            self._marks = {}
            for call in self._source.all(cst.Call):
                if path_of(call.func).rpartition(".")[2] in STARTS:
                    self._marks.setdefault(self._source.function_node(call), []).append(call)
        return self._marks.get(function, [])

    def _ended(self, statement: cst.CSTNode) -> Iterator[Lines]:
        """What a whole statement has surely ended: a join in it outside every branch, a pool whose block it is."""
        if isinstance(statement, (cst.FunctionDef, cst.ClassDef, cst.If)):
            return
        if isinstance(statement, cst.With) and self._is_pool(statement):
            span = self._source.span(statement)
            yield span.line, span.end_line
        for node in below(statement):
            if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in JOINS:
                if not node.args or node.func.attr.value in ("wait", "shutdown"):
                    line = self._source.span(node).line
                    yield line, line

    def _is_pool(self, block: cst.With) -> bool:
        for item in block.items:
            if isinstance(item.item, cst.Call):
                named = self._source.named_at(self._source.qualname(block), path_of(item.item))
                types = named.types or self._source.names(item.item.func)
            else:
                types = self._source.types(item.item)
            if any(name in types for name in POOLS):
                return True
        return False
