"""One file as its rules see it: nodes by type, and every question that a rule may ask about them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.model import Edit, Place, Span
from conclint.program.scene import FateScene, FunctionScene, Named, Scene, StartScene, TargetScene
from conclint.program.values import function_id
from conclint.source.paths import argument, path_of
from conclint.source.qualified import SCOPES, qualified_names
from conclint.source.tree import Function, Region
from conclint.text import Text

if TYPE_CHECKING:
    from conclint.program.observations import Access
    from conclint.source.imports import Line
    from conclint.source.lockedblocks import Locked
    from conclint.source.locks import Locks
    from conclint.source.lockuse import LockUse
    from conclint.source.makers import Maker

N = TypeVar("N", bound=cst.CSTNode)

UNKNOWN = Named()
LOOPS = (cst.For, cst.While)
COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp)


class Source:
    """One file's parsed regions together with its scene."""

    def __init__(self, text: Text, scene: Scene) -> None:
        self.text = text
        self.scene = scene
        self.path = scene.path
        self.knowledge = scene.knowledge
        self.regions = [Region(text.lines, pieces) for pieces in scene.regions]
        self._home = self.regions[0]  # of the node that was last asked about
        self._named = {(function, path): named for function, path, named in scene.named}
        self._paths = {path for _, path in self._named}
        self._functions = {one.qualname: one for one in scene.functions}
        self._fates = {(one.line, one.column, one.func): one for one in scene.fates}
        self._starts = {(one.line, one.column, one.func): one for one in scene.starts}
        self._made = {one.func for one in scene.fates}
        self._started = {one.func for one in scene.starts}
        self._targets = {one.identity: one for one in scene.targets}
        self._denoted: dict[int, Named] = {}  # by the node's id

    def close(self) -> None:
        """Lets go of everything at once: its parts and regions know each other in circles."""
        for one in (*self.regions, self):
            vars(one).clear()

    # -- nodes

    def all(self, kind: type[N]) -> Iterator[N]:
        """Every node of exactly this type, in the order of the text."""
        return chain.from_iterable(region.all(kind) for region in self.regions)

    def inside(self, node: cst.CSTNode, kind: type[N]) -> Iterator[N]:
        """Every node of exactly this type at the node and below it, in the order of the text: cheaper than to walk."""
        return iter(self._region(node).inside(node, kind))

    def mentions(self, node: cst.CSTNode, *words: str) -> bool:
        """Whether one of the words occurs in the text of the node's region: the cheapest of all gates."""
        return any(word in self._region(node).text for word in words)

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        return self._region(node).parent(node)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around it, nearest first."""
        region = self._region(node)
        while (outer := region.parent(node)) is not None:
            yield outer
            node = outer

    def nearest(self, node: cst.CSTNode, *kinds: type[N]) -> N | None:
        """The innermost node of one of these types around it."""
        for outer in self.ancestors(node):
            if isinstance(outer, kinds):
                return outer
        return None

    def statement(self, node: cst.CSTNode) -> cst.CSTNode:
        """The whole statement (with its line) in which the node stands."""
        for outer in chain((node,), self.ancestors(node)):
            if isinstance(outer, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
                return outer
        return node

    def _region(self, node: cst.CSTNode) -> Region:
        if node not in self._home:
            self._home = self._homes[id(node)]
        return self._home

    @cached_property
    def _homes(self) -> dict[int, Region]:
        """Every node's region, by the node's `id`."""
        found: dict[int, Region] = {}
        for region in self.regions:
            found.update(dict.fromkeys(region.ids, region))
        return found

    def sequence(self, node: cst.CSTNode) -> int:
        """Where the node comes in the order of its region's text: larger is later."""
        return self._region(node).sequence(node)

    @cached_property
    def whole(self) -> Region:
        """The file as one region, for what lies outside of the chosen ones: costly, so only fixes ask for it."""
        return Region(self.text.lines, ((1, len(self.text.lines)),))

    # -- places and text

    def span(self, node: cst.CSTNode) -> Span:
        """Where the node stands; lines and columns from 1."""
        return self._region(node).span(node)

    def line(self, node: cst.CSTNode) -> int:
        """The line on which the node begins, from 1: cheaper than its span."""
        return self._region(node).first_line(node)

    def place(self, node: cst.CSTNode) -> Place:
        return Place(self.path, self.span(node))

    def module(self, node: cst.CSTNode) -> cst.Module:
        """The parsed region in which the node stands."""
        return self._region(node).module

    def code(self, node: cst.CSTNode) -> str:
        """The node's own text."""
        return self._region(node).module.code_for_node(node)

    def replace(self, node: cst.CSTNode, text: str) -> Edit:
        """The edit that puts `text` in the node's place."""
        return Edit(self.span(node), text)

    def indent(self, node: cst.CSTNode) -> str:
        """The white space before the statement in which the node stands."""
        line = self.text.lines[self.line(self.statement(node)) - 1]
        return line[: len(line) - len(line.lstrip())]

    # -- names

    def named(self, node: cst.CSTNode) -> Named:
        """What an expression denotes where it stands."""
        known = self._denoted.get(id(node))
        if known is None:
            path = path_of(node)
            known = self._named.get((self.qualname(node), path), UNKNOWN) if path in self._paths else UNKNOWN
            self._denoted[id(node)] = known
        return known

    def named_at(self, function: str, path: str) -> Named:
        """What a path denotes in a function of this file."""
        return self._named.get((function, path), UNKNOWN)

    def names(self, node: cst.CSTNode) -> tuple[str, ...]:
        """The library names that an expression may denote; a method under its class and that class's bases."""
        return self.named(node).names

    def calls(self, call: cst.Call, *names: str) -> bool:
        """Whether the call's function is one of these library names."""
        return any(name in names for name in self.names(call.func))

    def types(self, node: cst.CSTNode) -> tuple[str, ...]:
        """The classes (with bases) of which an expression's value is an instance."""
        return self.named(node).types

    def binds(self, name: str) -> str:
        """What the module-level name denotes in this file: a library name, an id, or "" where it is free."""
        named = self._named.get(("", name), UNKNOWN)
        return next(iter(named.names), "")

    # -- functions

    def function_node(self, node: cst.CSTNode) -> Function | None:
        """The function in whose body the node stands; decorators and defaults belong to the function around."""
        return self._region(node).around(node)

    def qualname(self, node: cst.CSTNode) -> str:
        """The qualified name of the function in whose body the node stands; "" for the module."""
        around = self.function_node(node)
        return "" if around is None else self.qualname_of(around)

    def qualname_of(self, function: Function) -> str:
        """The function's own qualified name."""
        if isinstance(function, cst.FunctionDef):
            return self._scopes[id(function)]
        span = self.span(function)
        prefix = self._prefix(function)
        line = self.text.lines[span.line - 1]
        column = len(line[: span.column - 1].encode("utf-8", "surrogatepass"))
        name = f"$lambda:{span.line}:{column}"
        return f"{prefix}.{name}" if prefix else name

    def is_receiver(self, node: cst.CSTNode) -> bool:
        """Whether the node is `self.x` (or `self`) in a method, or in a function inside it."""
        head = path_of(node).partition(".")[0]
        for outer in self.ancestors(node):
            if isinstance(outer, cst.FunctionDef) and outer.params.params and outer.params.params[0].name.value == head:
                block = self.parent(outer)
                return block is not None and isinstance(self.parent(block), cst.ClassDef)
        return False

    def class_name(self, node: cst.ClassDef) -> str:
        """The class's qualified name."""
        return self._scopes[id(node)]

    def _prefix(self, node: cst.CSTNode) -> str:
        child = node
        for outer in self.ancestors(node):
            if isinstance(outer, SCOPES) and child is outer.body:
                return self._scopes[id(outer)]
            if isinstance(outer, cst.Lambda) and child is outer.body:
                return self.qualname_of(outer)
            child = outer
        return ""

    @cached_property
    def _scopes(self) -> dict[int, str]:
        return qualified_names(self.regions, self.scene)

    def function(self, node: cst.CSTNode) -> FunctionScene | None:
        """What is known of the function in which the node stands."""
        return self._functions.get(self.qualname(node))

    def identity(self, node: cst.CSTNode) -> str:
        """The id of the function in which the node stands."""
        return function_id(self.path, self.qualname(node))

    def in_coroutine(self, node: cst.CSTNode) -> bool:
        """Whether the node runs as part of an `async def`."""
        around = self.function_node(node)
        return isinstance(around, cst.FunctionDef) and around.asynchronous is not None

    def target(self, identity: str) -> TargetScene | None:
        """What a function does that this file starts somewhere."""
        return self._targets.get(identity)

    def runs(self, node: cst.CSTNode, *contexts: Context) -> bool:
        """Whether the node's function runs in one of the contexts, and comes to the node there."""
        around = self.function(node)
        return around is not None and bool(around.runs_in(*contexts, line=self.line(node)))

    def operator(self, statement: cst.AugAssign) -> str:
        """The sign of an augmented assignment, `+=`."""
        return self.code(statement.operator).strip()

    @cached_property
    def makers(self) -> tuple[Maker, ...]:
        """Every call in the parsed regions that makes a thread or process."""
        from conclint.source.makers import made_in

        return tuple(made_in(self))

    @cached_property
    def logical_lines(self) -> tuple[Line, ...]:
        """The logical lines of the module's own body; raises TokenError or SyntaxError where `tokenize` does."""
        from conclint.source.imports import top_level

        return tuple(top_level(self.text.lines))

    # -- locks

    @cached_property
    def accesses(self) -> tuple[Access, ...]:
        """Every access to shared state in the parsed regions."""
        from conclint.source.accesses import Accesses

        return tuple(Accesses(self).accesses())

    @cached_property
    def locks(self) -> Locks:
        """The lock sets of the file."""
        from conclint.source.locks import Locks

        return Locks(self)

    @cached_property
    def locked_blocks(self) -> tuple[Locked, ...]:
        """The blocks that run while a lock is held."""
        from conclint.source.lockedblocks import locked_blocks

        return tuple(locked_blocks(self))

    @cached_property
    def lock_use(self) -> LockUse:
        """What the functions of this file do to locks."""
        from conclint.source.lockuse import LockUse

        return LockUse(self)

    def held(self, node: cst.CSTNode) -> tuple[str, ...]:
        """The locks that the node's own function holds there, outermost first."""
        return self.locks.held(node)

    # -- handles and arguments

    def fate(self, call: cst.Call) -> FateScene | None:
        """What becomes of the thread, process or pool that the call makes."""
        func = path_of(call.func)
        if func not in self._made:
            return None  # the place of a node costs more
        span = self.span(call)
        return self._fates.get((span.line, span.column, func))

    def starts(self, call: cst.Call) -> tuple[str, tuple[TargetScene, ...]]:
        """The library name of a call that runs functions of the program somewhere else, and what these do."""
        found = self.start(call)
        if found is None:
            return "", ()
        targets = (self._targets.get(identity) for identity in found.targets)
        return found.how, tuple(one for one in targets if one is not None)

    def start(self, call: cst.Call) -> StartScene | None:
        """What is known of a call that runs functions of the program somewhere else."""
        func = path_of(call.func)
        if func not in self._started:
            return None  # the place of a node costs more
        span = self.span(call)
        return self._starts.get((span.line, span.column, func))

    @staticmethod
    def argument(call: cst.Call, keyword: str, position: int | None = None) -> cst.Arg | None:
        """An argument by keyword, or by position (from 0)."""
        return argument(call, keyword, position)

    # -- loops and order

    def loop(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The innermost loop or comprehension of the same function that runs the node repeatedly."""
        child = node
        for outer in self.ancestors(node):
            if isinstance(outer, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
                return None
            if isinstance(outer, LOOPS) and child is not getattr(outer, "iter", None) and child is not outer.orelse:
                return outer
            if isinstance(outer, COMPREHENSIONS):
                return outer
            child = outer
        return None
