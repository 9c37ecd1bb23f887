"""Where a file uses objects that one thread at a time may use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from conclint.knowledge.kinds import Context, Target, Unshared
from conclint.knowledge.unshared import GIVEN, HARMLESS, TAKING, WRITING
from conclint.program.deeds import CONSTRUCTION
from conclint.program.observations import READS, Access, Act, Used
from conclint.program.values import Store
from conclint.source.acts import State
from conclint.source.literals import constant_text
from conclint.source.locks import Locks
from conclint.source.order import Order
from conclint.source.paths import argument, partial_target, path_of
from conclint.source.source import Source
from conclint.source.tree import below

# Statements of SQL that change nothing.
ASKING = ("SELECT", "PRAGMA", "EXPLAIN", "VALUES")

LOCATORS = ("loc", "iloc", "at", "iat")


class Users:
    """Finds the uses in one file."""

    def __init__(self, source: Source, locks: Locks, order: Order) -> None:
        self._source = source
        self._locks = locks
        self._order = order

    def all(self) -> Iterator[Used]:
        """Calls of such objects' methods, bound methods given to threads, and items set in tables."""
        for call in self._source.all(cst.Call):
            if isinstance(call.func, cst.Attribute) and not self._source.named(call.func).functions:
                yield from self._use(call.func, call)
            yield from self._written(call)
            if path_of(call.func) in TAKING and call.args:
                yield from self._taken(call.args[0].value, call)
            for given in self._given(call):
                yield from self._use(given, call, handed=True)
        loops: list[cst.For | cst.CompFor] = [*self._source.all(cst.For), *self._source.all(cst.CompFor)]
        for loop in loops:
            yield from self._taken(loop.iter, loop.iter)
        for assignment in self._source.all(cst.Assign):
            for target in assignment.targets:
                yield from self._item(target.target, assignment)

    def _taken(self, generator: cst.BaseExpression, node: cst.CSTNode) -> Iterator[Used]:
        """`next(items)`, `for item in items`."""
        if not isinstance(generator, (cst.Name, cst.Attribute)) or self._kind(generator) is not Unshared.GENERATOR:
            return
        if not self._just_made(generator):
            yield from self._used(Unshared.GENERATOR, generator, node, "next")

    def _just_made(self, owner: State) -> bool:
        """`self.parser = parse()`, and right behind it `next(self.parser)`."""
        statement, path = self._source.statement(owner), path_of(owner)
        block = self._source.parent(statement)
        before: list[cst.CSTNode] = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else []
        near = before[: before.index(statement)][-1:] if statement in before else []
        assigned = (one for line in near for one in self._source.inside(line, cst.Assign))
        return any(path_of(target.target) == path for one in assigned for target in one.targets)

    def _written(self, call: cst.Call) -> Iterator[Used]:
        """`print(..., file=log)`, `json.dump(record, log)`."""
        name = next((one for one in self._source.names(call.func) if one in GIVEN), "")
        file = argument(call, *GIVEN[name]) if name else None
        if file is not None and self._kind(file.value) is Unshared.WRITER:
            yield from self._used(Unshared.WRITER, file.value, call, name.rpartition(".")[2])

    def _given(self, call: cst.Call) -> Iterator[cst.Attribute]:
        """The bound method that several threads get to call: `pool.map(session.get, urls)`."""
        spawners = self._source.knowledge.spawners
        for name in self._source.names(call.func):
            found = spawners.get(name)
            if found is not None and found.context is Context.THREAD and found.target is Target.ARGUMENT:
                given = argument(call, found.keyword or "", found.position)
                waited_for = isinstance(self._source.parent(call), cst.Await)
                several = found.many or (self._source.loop(call) is not None and not waited_for)
                value = _whole(given.value) if several and given is not None else None
                if isinstance(value, cst.Attribute):
                    yield value
                    return

    def _use(self, method: cst.Attribute, call: cst.Call, *, handed: bool = False) -> Iterator[Used]:
        name = method.attr.value
        kind = self._kind(method.value)
        if kind is None or name in HARMLESS or (kind is Unshared.WRITER and name not in WRITING):
            return
        if kind is Unshared.WRITER and not handed and self._appends_once(method, call):
            return
        if kind is Unshared.SQLITE and not handed and self._only_asks(call):
            name = READS
        if kind is not Unshared.ARRAY:
            yield from self._used(kind, method.value, call, name, handed=handed)

    @staticmethod
    def _only_asks(call: cst.Call) -> bool:
        asked = constant_text(call.args[0].value).lstrip().upper() if call.args else ""
        return asked.startswith(ASKING)

    def _appends_once(self, method: cst.Attribute, node: cst.CSTNode) -> bool:
        """Whether all that the function writes goes out in one piece, to the end of the file."""
        around = self._source.function_node(node)
        store = self._source.named(method.value).store
        if around is None or store is None or self._source.loop(node) is not None:
            return False
        if store not in self._appended and not self._appended_in_text(store):
            return False
        path = path_of(method.value)
        calls = (one.func for one in below(around) if isinstance(one, cst.Call))
        written = [one for one in calls if path_of(one).rpartition(".")[0] == path and path_of(one) != f"{path}.flush"]
        return len(written) == 1

    @cached_property
    def _appended(self) -> set[Store]:
        """Where files are kept that are opened to be appended to."""
        found: set[Store] = set()
        for call in self._source.all(cst.Call):
            if self._source.calls(call, "builtins.open", "pathlib.Path.open"):
                mode = argument(call, "mode", 1 if self._source.calls(call, "builtins.open") else 0)
                if mode is not None and constant_text(mode.value).startswith("a"):
                    found.update(self._kept(call))
        return found

    def _appended_in_text(self, store: Store) -> bool:
        """Whether the module opens it so, in a statement that nobody had to parse."""
        if store.sort != "global" or not store.path.isidentifier():
            return False
        opened = rf"^{store.path}\b[^=\n]*=\s*(?:open|Path)\(.*[\"']a[bt+]*[\"']"
        return re.search(opened, self._source.text.text, re.MULTILINE) is not None

    def _kept(self, call: cst.Call) -> Iterator[Store]:
        outer = self._source.parent(call)
        targets: list[cst.BaseExpression] = []
        if isinstance(outer, cst.Assign):
            targets = [one.target for one in outer.targets]
        elif isinstance(outer, (cst.AnnAssign, cst.NamedExpr)):
            targets = [outer.target]
        elif isinstance(outer, cst.WithItem) and outer.asname is not None:
            targets = [outer.asname.name]
        for target in targets:
            store = self._source.named(target).store
            if store is not None:
                yield store

    def _item(self, target: cst.BaseExpression, node: cst.CSTNode) -> Iterator[Used]:
        if not isinstance(target, cst.Subscript):
            return
        table = target.value
        if isinstance(table, cst.Attribute) and table.attr.value in LOCATORS:
            table = table.value
        kind = self._kind(table)
        if kind in (Unshared.ARRAY, Unshared.WIDGET):  # `table["a"] = column`, `label["text"] = "done"`
            yield from self._used(kind, table, node, "[]")

    def _kind(self, owner: cst.BaseExpression) -> Unshared | None:
        types = self._source.types(owner)
        return self._source.knowledge.unsafe(types) if types else None

    def _used(
        self, kind: Unshared, owner: cst.BaseExpression, node: cst.CSTNode, operation: str, *, handed: bool = False
    ) -> Iterator[Used]:
        owner = self._origin(owner)
        source, named = self._source, self._source.named(owner)
        if named.store is None or "$" in named.store.path or "[" in named.store.path:
            return  # the items of a container may be one for each thread
        access = Access(
            store=named.store,
            act=Act.CHANGE,
            point=self._order.point(node),
            place=source.place(node),
            text=path_of(owner),
            operation=operation,
            held=self._locks.held(node),
            constructing=self._constructing(owner),
            through_class=named.through_class or named.of_class,
            reach=named.reach,
            holder=named.owner,
        )
        known = next(name for name in named.types if source.knowledge.unsafe((name,)) is kind)
        yield Used(kind, known, access, handed)

    def _origin(self, owner: cst.BaseExpression) -> cst.BaseExpression:
        """For a variable that stands for something else, `window = self.window`, that."""
        store, around = self._source.named(owner).store, self._source.function_node(owner)
        if store is None or around is None or store.owner != self._source.identity(owner):
            return owner
        puts = [
            one.value
            for one in self._source.all(cst.Assign)
            if any(path_of(target.target) == store.path for target in one.targets)
            and self._source.function_node(one) is around
        ]
        return puts[0] if len(puts) == 1 and isinstance(puts[0], (cst.Name, cst.Attribute)) else owner

    def _constructing(self, owner: cst.BaseExpression) -> bool:
        """Whether it is an attribute of an object that nobody else can have yet."""
        around = self._source.function(owner)
        name = around.qualname.rpartition(".")[2].partition("#")[0] if around is not None else ""
        return name in CONSTRUCTION and self._source.is_receiver(owner)


def _whole(value: cst.BaseExpression) -> cst.BaseExpression:
    """What is called in the end: what a `partial` stands for."""
    return (partial_target(value) or value) if isinstance(value, cst.Call) else value
