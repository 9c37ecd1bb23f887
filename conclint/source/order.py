"""What surely happens before what within one function: loops that are over, joins that came first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import libcst as cst

from conclint.program.observations import Point
from conclint.source.literals import target_names
from conclint.source.paths import path_of
from conclint.source.settled import Settled
from conclint.source.source import Source

JOINS = frozenset({"join", "shutdown", "result", "wait", "terminate", "stop", "close"})
ALL_THREADS = ("threading.enumerate", "threading.active_count")
LOOKING = frozenset({"enumerate", "active_count"})
POOLS = ("concurrent.futures.Executor", "multiprocessing.pool.Pool", "asyncio.TaskGroup")

FUNCTIONS = (cst.FunctionDef, cst.Lambda, cst.ClassDef)
BLOCKS = frozenset({cst.IndentedBlock, cst.Module})
LOOPS = frozenset({cst.For, cst.While})

Lines = tuple[int, int]


class Around(NamedTuple):
    """What is over before a node, the conditions that it is under, and where the outermost loop around it ends."""

    after: tuple[Lines, ...]
    under: tuple[str, ...]
    last: int


NOWHERE = Around((), (), 0)


class Order:
    """Order of joins and ends of loops around nodes of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._settled = Settled(source)
        self._known: dict[int, Around] = {}  # by the node's id
        self._ends: dict[int, dict[int, tuple[Lines, ...]]] = {}  # before each statement of a block, by their `id`s

    def point(self, node: cst.CSTNode) -> Point:
        """When the node happens in its function."""
        line = self._source.line(node)
        after, under, last = self._around(node)
        joined = any(first == last and first in self._thread_joins for first, last in after)
        return Point(self._source.identity(node), line, last or line, after, joined, under)

    def _around(self, node: cst.CSTNode) -> Around:
        """The same for everything at the node: found once for each block and statement around it."""
        inner: list[tuple[cst.CSTNode, cst.CSTNode]] = []
        while id(node) not in self._known:
            outer = self._source.parent(node)
            if outer is None or (isinstance(outer, FUNCTIONS) and node is outer.body):
                self._known[id(node)] = NOWHERE
            else:
                inner.append((node, outer))
                node = outer
        around = self._known[id(node)]
        for node, outer in reversed(inner):
            around = self._known[id(node)] = self._at(node, outer, around)
        return around

    def _at(self, node: cst.CSTNode, outer: cst.CSTNode, around: Around) -> Around:
        kind = outer.__class__
        if kind in BLOCKS and isinstance(outer, (cst.IndentedBlock, cst.Module)):
            return around._replace(after=self._ended_before(outer, node) + around.after)
        if kind is cst.If and isinstance(outer, cst.If):
            return around._replace(under=(*self._settled.under(outer, node), *around.under))
        if kind in LOOPS:
            return around._replace(last=around.last or self._source.span(outer).end_line)
        return around

    @cached_property
    def _thread_joins(self) -> set[int]:
        """The lines of `thread.join()`, with or without a limit, and where a loop looks for threads that are left."""
        lines = {
            self._source.line(call)
            for call in self._source.all(cst.Call)
            if isinstance(call.func, cst.Attribute)
            and (self._joins_thread(call.func) or self._looks_for_threads(call, call.func))
        }
        fates = (fate for fate in self._source.scene.fates if fate.begun)
        return lines | {join.span.line for fate in fates for join in fate.joins if join.path == self._source.path}

    def _joins_thread(self, func: cst.Attribute) -> bool:
        return func.attr.value == "join" and "threading.Thread" in self._source.types(func.value)

    def _looks_for_threads(self, call: cst.Call, func: cst.Attribute) -> bool:
        """`while any(one.name == "worker" for one in threading.enumerate()): …`"""
        looks = func.attr.value in LOOKING and self._source.calls(call, *ALL_THREADS)
        return looks and self._source.nearest(call, cst.While) is not None

    def _ended_before(self, block: cst.IndentedBlock | cst.Module, child: cst.CSTNode) -> tuple[Lines, ...]:
        known = self._ends.get(id(block))
        if known is None:
            known = self._ends[id(block)] = {}
            ended: tuple[Lines, ...] = ()
            each = self._each(block)
            for statement in block.body:
                known[id(statement)] = ended
                ended += tuple(self._ended(statement, each))
        return known.get(id(child), ())

    def _each(self, block: cst.IndentedBlock | cst.Module) -> frozenset[str]:
        """The variables of the loop whose body it is: what is over is one of several, and the others go on."""
        loop = self._source.parent(block)
        return frozenset(target_names(loop.target)) if isinstance(loop, cst.For) and loop.body is block else frozenset()

    def _ended(self, statement: cst.CSTNode, each: frozenset[str]) -> Iterator[Lines]:
        """What a whole statement has surely ended: a join in it, a pool whose block it is."""
        if isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
            return
        if isinstance(statement, cst.With) and self._is_pool(statement):
            span = self._source.span(statement)
            yield span.line, span.end_line
        for node in self._source.inside(statement, cst.Call):
            func = node.func
            if isinstance(func, cst.Attribute) and self._joins(node, func) and path_of(func.value) not in each:
                line = self._source.line(node)
                yield line, line

    def _joins(self, call: cst.Call, func: cst.Attribute) -> bool:
        name = func.attr.value
        if name in LOOKING:
            return self._source.line(call) in self._thread_joins
        limited = bool(call.args) and name not in ("wait", "shutdown")
        return name in JOINS and (not limited or self._source.line(call) in self._thread_joins)

    def _is_pool(self, block: cst.With) -> bool:
        ancestors = self._source.knowledge.ancestors
        for item in block.items:
            types = self._source.types(item.item)
            names = self._source.names(item.item.func) if isinstance(item.item, cst.Call) else ()
            if any(base in POOLS for name in (*types, *names) for base in ancestors(name)):
                return True
        return False
