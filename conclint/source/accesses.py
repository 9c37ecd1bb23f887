"""What a file does to the state that threads share: every access, with what it does and which locks it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.starting import STARTS
from conclint.program.deeds import AT_IMPORT, CONSTRUCTION
from conclint.program.observations import OF_ITEMS, TOLD, Access, Act, HeldCall, Holder, Observations
from conclint.program.scene import Named
from conclint.program.values import function_id
from conclint.source.acts import Done, State, act_of
from conclint.source.aliased import walked_by_name
from conclint.source.asked import asked_before
from conclint.source.bywords import needs_no_lock, promises_safety
from conclint.source.checks import Checks
from conclint.source.emptied import emptied
from conclint.source.freely import freely
from conclint.source.handedout import HandedOut
from conclint.source.inner import inner_act
from conclint.source.kept import is_there
from conclint.source.locks import ANY_LOCK
from conclint.source.order import Order
from conclint.source.outputs import outputs
from conclint.source.ownitems import is_own_item
from conclint.source.paths import path_of
from conclint.source.processwide import changes
from conclint.source.straddles import Straddles
from conclint.source.tree import below
from conclint.source.used import Users
from conclint.source.wholes import walked_whole

if TYPE_CHECKING:
    from conclint.source.source import Source

# Single steps that an author may know to be so.
ADDING = frozenset({"append", "appendleft", "extend", "extendleft", "add"})


class Accesses:
    """Finds and classifies the accesses of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._states = frozenset(source.scene.states)
        self._guarded = frozenset(source.scene.guarded)
        self._locks = source.locks
        self._order = Order(source)
        self._checks = Checks(source, self._locks)
        self._handed_out = HandedOut(source)
        self._forking: dict[cst.CSTNode | None, bool] = {}

    def all(self) -> Observations:
        """All that is observed of the file."""
        told = tuple(outputs(self._source, self._locks, self._order))
        done = tuple(changes(self._source, self._locks, self._order))
        used = tuple(Users(self._source, self._locks, self._order).all())
        seen = Observations(tuple(self.accesses()), tuple(self.calls()), tuple(self.holders()), told, done, used)
        if not self._source.scene.waiting:
            return seen
        found = Straddles(self._source, self._locks, self._order)
        return replace(seen, straddles=tuple(found.all()), kept=tuple(found.kept()))

    def accesses(self) -> Iterator[Access]:
        """Every access to shared state in the parsed regions."""
        last = {path.rpartition(".")[2] for _, path, named in self._source.scene.named if named.store in self._states}
        for name in self._source.all(cst.Name):
            if name.value in last:
                node = self._whole(name)
                if node is not None:
                    yield from self._access(node)

    def calls(self) -> Iterator[HeldCall]:
        """Every call of a function of the program, or of one that starts something."""
        for call in self._source.all(cst.Call):
            path = path_of(call.func)
            starts = path.rpartition(".")[2] in STARTS
            if starts or self._source.named(call.func).functions:
                asked = asked_before(self._source, call) if starts else ()
                yield HeldCall(self._order.point(call), path, self._locks.held(call), asked)

    def holders(self) -> Iterator[Holder]:
        """The functions that hold locks around what they manage or decorate."""
        for function in self._source.all(cst.FunctionDef):
            held = tuple(self._held_for_others(function))
            if held:
                yield Holder(function_id(self._source.path, self._source.qualname_of(function)), held)

    def _held_for_others(self, function: cst.FunctionDef) -> Iterator[str]:
        if function.name.value == "__enter__":
            yield from self._locks.at_end(function)
        params = {param.name.value for param in function.params.params}
        for node in self._source.inside(function.body, cst.Yield) if function.decorators else ():
            if self._source.function_node(node) is function:
                yield from self._locks.held(node)
        for call in self._source.inside(function.body, cst.Call):
            decorated = isinstance(call.func, cst.Name) and call.func.value in params
            wrapper = self._source.function_node(call)
            if decorated and wrapper is not function:
                yield from (_relative(lock, wrapper) for lock in self._locks.held(call))

    def _whole(self, name: cst.Name) -> State | None:
        """The name itself, or the attribute whose last part it is; nothing for keywords and definitions."""
        outer = self._source.parent(name)
        if isinstance(outer, cst.Attribute) and outer.attr is name:
            return outer
        if isinstance(outer, (cst.Param, cst.FunctionDef, cst.ClassDef, cst.ImportAlias, cst.NameItem, cst.AsName)):
            return None
        if isinstance(outer, cst.Arg) and outer.keyword is name:
            return None
        return name

    def _access(self, node: State) -> Iterator[Access]:
        named = self._source.named(node)
        if named.store is None or named.store not in self._states or self._in_class_body(node) or self._in_child(node):
            return
        done, anchor = self._done(node)
        if done.act is Act.READ and named.store not in self._guarded and done.operation not in TOLD:
            return  # one step, and it spoils nobody else's
        yield Access(
            store=named.store,
            act=done.act,
            point=self._order.point(node),
            place=self._source.place(anchor),
            text=self._source.code(anchor) if done.operation in OF_ITEMS else path_of(node),
            operation=done.operation,
            key=done.key,
            held=self._held(node, done),
            resizes=done.resizes,
            constructing=self._constructing(named, node),
            through_class=self._through_class(named, done.act),
            reach=named.reach,
            holder=named.owner,
            own_item=is_own_item(self._source, node),
        )

    def _done(self, node: State) -> tuple[Done, cst.CSTNode]:
        """What is done there, and at which node a finding about it points."""
        done = act_of(self._source, node)
        anchor: cst.CSTNode = self._spoken(node, done.act)
        if done.act is Act.READ and (check := self._checks.acting_on(node)) is not None:
            done, anchor = check
        if done.act is Act.READ and (walked := walked_by_name(self._source, self._locks, node)) is not None:
            done = walked
        if done.act is Act.READ and (walked := walked_whole(self._source, node)) is not None:
            done = walked
        if done.act is Act.READ and (inner := inner_act(self._source, node)) is not None:
            done, anchor = inner
        if done.act is Act.REPLACE and (check := self._checks.unless_there(node)) is not None:
            done, anchor = check
        if done.act in (Act.REPLACE, Act.CHANGE) and (spent := emptied(self._source, self._locks, node, done)):
            done = spent
        if self._source.scene.free_threaded:
            done = freely(self._source, node, done)
        if done.act is Act.READ and done.operation not in TOLD:
            done = done._replace(operation=self._used(node))
        if done.resizes and is_there(self._source, node):
            done = done._replace(resizes=False)
        return done, anchor

    def _held(self, node: State, done: Done) -> tuple[str, ...]:
        """The locks that are held; some lock, where the author says that none is needed."""
        held = self._locks.held(node)
        if held or done.act is Act.READ:
            return held
        around = self._source.function_node(node) if done.act is Act.CHANGE and done.operation in ADDING else None
        said = isinstance(around, cst.FunctionDef) and promises_safety(around)
        return (ANY_LOCK,) if said or needs_no_lock(self._source, self._source.statement(node)) else ()

    def _used(self, node: State) -> str:
        """The method that is called on it, or `return` where it is handed out."""
        if self._handed_out.is_handed_out(node):
            return "return"
        outer = self._source.parent(node)
        call = self._source.parent(outer) if isinstance(outer, cst.Attribute) else None
        called = isinstance(outer, cst.Attribute) and isinstance(call, cst.Call) and call.func is outer
        return outer.attr.value if called and isinstance(outer, cst.Attribute) else ""

    def _spoken(self, node: State, act: Act) -> cst.CSTNode:
        """The node at which a finding about the act points: the statement for a change, else the expression."""
        if act in (Act.READ, Act.ITERATE):
            return node
        for outer in self._source.ancestors(node):
            if isinstance(outer, cst.BaseSmallStatement):
                return outer
        return node

    def _in_class_body(self, node: State) -> bool:
        for outer in self._source.ancestors(node):
            if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
                return False
            if isinstance(outer, cst.ClassDef):
                return True
        return False

    def _in_child(self, node: State) -> bool:
        """Below `if os.fork() == 0`, `if pid == 0`: of all threads only one came along."""
        return any(
            isinstance(outer, cst.If) and _asks_for_zero(outer.test) and self._forks(outer)
            for outer in self._source.ancestors(node)
        )

    def _forks(self, statement: cst.If) -> bool:
        around = self._source.function_node(statement)
        if around not in self._forking:
            calls = (one for one in below(around) if isinstance(one, cst.Call)) if around is not None else ()
            self._forking[around] = any(path_of(call.func) == "os.fork" for call in calls)
        return self._forking[around]

    def _constructing(self, named: Named, node: State) -> bool:
        """Whether nobody else can have the object, or the class, yet."""
        around = self._source.function(node)
        if named.store is None or around is None or named.store.sort != "attribute":
            return False
        name = around.qualname.rpartition(".")[2].partition("#")[0]
        own = isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and not named.through_class
        return name in AT_IMPORT or (name in CONSTRUCTION and own and self._source.is_receiver(node))

    @staticmethod
    def _through_class(named: Named, act: Act) -> bool:
        """Whether the state is the class's own; assigning to it through an object gives the object one of its own."""
        return named.through_class or (named.of_class and act not in (Act.UPDATE, Act.REPLACE))


def _relative(lock: str, wrapper: cst.FunctionDef | cst.Lambda | None) -> str:
    """The lock of whichever object the wrapper is called with, as `own|lock`: its methods know it as `self.lock`."""
    first = wrapper.params.params[:1] if isinstance(wrapper, cst.FunctionDef) else ()
    head, dot, rest = lock.rpartition("|")[2].partition(".")
    return f"own|{rest}" if dot and [param.name.value for param in first] == [head] else lock


def _asks_for_zero(test: cst.BaseExpression) -> bool:
    if not isinstance(test, cst.Comparison):
        return False
    asked = test.comparisons[0].comparator
    return isinstance(asked, cst.Integer) and asked.value == "0"
