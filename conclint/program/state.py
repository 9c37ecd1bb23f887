"""Which state several threads reach and change: the little that is worth a close look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Touch
from conclint.knowledge.kinds import Context, Knowledge
from conclint.program.calls import Calls
from conclint.program.contexts import Contexts
from conclint.program.files import File
from conclint.program.values import Sort, Store, function_id

CHANGES = int(Touch.WRITE | Touch.ITEM)

# Code that runs before others can have the object.
CONSTRUCTION = frozenset({"__init__", "__new__", "__post_init__", "__init_subclass__", "__setstate__", "__set_name__"})


class User(NamedTuple):
    """A function that touches the state, and whether it changes it."""

    file: File
    function: FunctionFact
    changes: bool


class State:
    """Finds the stores that a thread touches and that somebody changes after construction."""

    def __init__(self, calls: Calls, contexts: Contexts, knowledge: Knowledge) -> None:
        self._calls = calls
        self._names = calls.names
        self._contexts = contexts
        self._knowledge = knowledge
        self._touched: dict[str, dict[str, list[tuple[FunctionFact, bool]]]] = {}
        self._mutators = frozenset(name for names in knowledge.mutators.values() for name in names)

    def shared(self) -> dict[Store, tuple[User, ...]]:
        """Every candidate with all the functions that touch it."""
        found: dict[Store, tuple[User, ...]] = {}
        seen: set[Store] = set()
        for identity in sorted(self._contexts.functions()):
            if any(run.context is Context.THREAD for run in self._contexts.runs(identity)):
                for store in self._stores(identity):
                    if store not in seen:
                        seen.add(store)
                        users = self._candidate(store)
                        if users:
                            found[store] = users
        return found

    def _stores(self, identity: str) -> Iterator[Store]:
        file, function = self._calls.function(identity)
        for path, _, _ in function.touches:
            store = self._names.meaning(file, function, path).store
            if store is not None and self._outlives(store, file, function):
                yield store.root

    @staticmethod
    def _outlives(store: Store, file: File, function: FunctionFact) -> bool:
        """Whether the variable is more than this one call's own."""
        return store.sort != "local" or store.owner != function_id(file.path, function.qualname)

    def _candidate(self, store: Store) -> tuple[User, ...]:
        if store.path.startswith("$") or self._protects_itself(store):
            return ()
        users = tuple(self._users(store))
        changers = [user for user in users if user.changes and not self._constructs(store, user.function)]
        return users if changers else ()

    def _constructs(self, store: Store, function: FunctionFact) -> bool:
        """Whether the function makes the state rather than changing it: module code for a global, `__init__` for `self`."""
        if store.sort == "attribute":
            return function.name in CONSTRUCTION
        return store.sort == "global" and not function.qualname

    def _protects_itself(self, store: Store) -> bool:
        """Queues, events, locks and their like, bound once."""
        values = self._names.held(store)
        safe = self._knowledge.thread_safe
        return bool(values) and all(
            value.sort is Sort.INSTANCE and (value.name in self._knowledge.locks or self._knowledge.matches(safe, value.name))
            for value in values
        )

    def _users(self, store: Store) -> Iterator[User]:
        for file, function, prefix in self._names.users(store):
            found = [changes for one, changes in self._touching(file, prefix + store.path) if one is function]
            if found:
                yield User(file, function, any(found))
        if store.sort == "global":
            yield from self._importers(store)

    def _importers(self, store: Store) -> Iterator[User]:
        """Functions of other files that touch the global, as `module.name` or by importing it."""
        for file in self._names.files:
            if file.path == store.owner or not self._mentions(file, store):
                continue
            for function in file.functions():
                for path, bits, _ in function.touches:
                    last = path.rpartition(".")[2] == store.path or path == store.path
                    if last and self._names.meaning(file, function, path).store == store:
                        yield User(file, function, bool(bits & CHANGES) or self._mutates(function, path))

    @staticmethod
    def _mentions(file: File, store: Store) -> bool:
        stem = store.owner.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
        return any(stem in one.target.split(".") or one.target.endswith("." + store.path) for one in file.header.imports)

    def _touching(self, file: File, path: str) -> list[tuple[FunctionFact, bool]]:
        known = self._touched.get(file.path)
        if known is None:
            known = {}
            for function in file.functions():
                for touched, bits, _ in function.touches:
                    changes = bool(bits & CHANGES) or self._mutates(function, touched)
                    known.setdefault(touched, []).append((function, changes))
            self._touched[file.path] = known
        return known.get(path, [])

    def _mutates(self, function: FunctionFact, path: str) -> bool:
        """Whether a method that changes containers is called on it."""
        return any(
            call.func.rpartition(".")[2] in self._mutators and call.func.rpartition(".")[0] == path
            for call in function.calls
        )

