"""What authors say threads share: the state of what owns a lock, and the state of the whole process.

Nobody need start a thread for it: a class that takes a lock of its own is meant to be used by several.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from conclint.index.facts import FunctionFact
from conclint.model import Note
from conclint.program.calls import Calls
from conclint.program.deeds import CONSTRUCTION, Deeds
from conclint.program.files import File
from conclint.program.owners import Owned, Owners
from conclint.program.state import State, User
from conclint.program.testfiles import among_tests
from conclint.program.values import Store, function_id, split_id

Place = tuple[File, FunctionFact]


@dataclass(frozen=True)
class Promise:
    """Why several threads are meant to reach some state.

    `firm`: right nearly always; what rests on less is only said to those who ask for it.
    """

    firm: bool
    notes: tuple[Note, ...]


class Promises:
    """Answers for one program."""

    def __init__(self, calls: Calls, owners: Owners, deeds: Deeds, state: State) -> None:
        self._calls = calls
        self._names = calls.names
        self._owners = owners
        self._deeds = deeds
        self._state = state

    @cached_property
    def guarded(self) -> dict[Store, tuple[User, ...]]:
        """The state of whatever owns a lock, as far as it is changed after it was made, with all who touch it."""
        users: dict[Store, dict[str, User]] = {}
        for owner, locks in self._owners.locks.items():
            taken = {one.store for one in locks}
            inside = self._inside(owner, locks)
            for store, user in self._touched(inside):
                if store not in taken and self._answers_for(owner, locks[0].store.sort, store):
                    identity = function_id(user.file.path, user.function.qualname)
                    users.setdefault(store, {})[identity] = user
        found = {store: tuple(some.values()) for store, some in users.items()}
        return {
            store: some
            for store, some in found.items()
            if any(user.changes for user in some) and not self._state.protects_itself(store)
        }

    # -- who is inside

    def _answers_for(self, owner: str, sort: str, store: Store) -> bool:
        if sort == "attribute":
            return store.sort == sort and (
                owner in self._names.classes.mro(store.owner) or store.owner in self._names.classes.mro(owner)
            )
        inside = sort == "local" and store.owner.startswith(owner + ".")
        return store.sort == sort and (store.owner == owner or inside)

    def _inside(self, owner: str, locks: Iterable[Owned]) -> dict[str, Place]:
        """The functions for whose state the lock's owner answers: methods, a module's functions, a closure's."""
        sort = next(iter(locks)).store.sort
        if sort == "attribute":
            return {
                function_id(file.path, function.qualname): (file, function)
                for cls in self._names.classes.family(owner)
                if not among_tests(split_id(cls)[0])
                for file, function, _ in self._names.scopes.members(cls)
            }
        path, qualname = (owner, "") if sort == "global" else split_id(owner)
        file = self._names.files[path]
        functions = file.body.functions
        names = functions if sort == "global" else (qualname, *functions.within.get(qualname, ()))
        return {function_id(path, name): (file, functions[name]) for name in names}

    def _touched(self, functions: dict[str, Place]) -> Iterator[tuple[Store, User]]:
        """The state that somebody among them changes, with each one who touches it."""
        changed = {
            path.rpartition(".")[2]
            for file, function in functions.values()
            if function.name not in CONSTRUCTION
            for path in (*self._deeds.of(file, function).bits, *self._deeds.of(file, function).mutated)
            if self._deeds.of(file, function).changes(path)
        }
        for file, function in functions.values():
            for path in self._deeds.of(file, function).bits:
                if path.rpartition(".")[2] in changed and path.count(".") < 2:
                    store = self._names.meaning(file, function, path).store
                    if store is not None and store.root == store and self._others(store, file, function):
                        yield store, self._user(file, function, path, store)

    def _others(self, store: Store, file: File, function: FunctionFact) -> bool:
        """Whether it can be anything but a variable of the function's own."""
        return store.sort != "local" or store.owner != function_id(file.path, function.qualname)

    def _user(self, file: File, function: FunctionFact, path: str, store: Store) -> User:
        changes = self._deeds.changes(file, function, path, store)
        return User(file, function, changes, self._deeds.of(file, function).in_steps(path), personal=True)
