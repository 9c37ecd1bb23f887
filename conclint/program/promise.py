"""What authors say threads share: the state of what owns a lock, and the state of the whole process.

Nobody need start a thread for it: a class that takes a lock of its own is meant to be used by several.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from conclint.index.facts import FunctionFact
from conclint.knowledge.kinds import Context
from conclint.model import Note, Place, Span
from conclint.program.calls import Calls, Site
from conclint.program.contexts import site_place
from conclint.program.deeds import CONSTRUCTION, Deeds
from conclint.program.everybodys import Everybodys
from conclint.program.files import File
from conclint.program.owners import Owned, Owners
from conclint.program.spawns import Root
from conclint.program.state import State, User
from conclint.program.testfiles import among_tests
from conclint.program.values import Sort, Store, function_id, split_id

# A call of what is named like a class.
MADE = re.compile(r"(?:^|\.)_*[A-Z]\w*[a-z]\w*\(\)$")

# What tells in which thread one is.
ASKS = ("get_ident", "current_thread", "get_native_id", "currentThread")
IDENTITY = frozenset({*(f"threading.{name}" for name in ASKS), "_thread.get_ident", "thread.get_ident"})

Function = tuple[File, FunctionFact]
Users = dict[Store, dict[str, User]]


@dataclass(frozen=True)
class Promise:
    """Why several threads are meant to reach some state.

    `firm`: right nearly always; what rests on less is only said to those who ask for it.
    """

    firm: bool
    notes: tuple[Note, ...] = ()
    sworn: bool = False  # the author says so in as many words
    words: str = ""  # what is to be said at the access itself, where nothing else can be shown


class Promises:
    """Answers for one program."""

    def __init__(
        self,
        calls: Calls,
        owners: Owners,
        deeds: Deeds,
        state: State,
        roots: Callable[[], Iterable[Root]],
        said: Mapping[str, Place],
    ) -> None:
        self._calls = calls
        self._said = said  # the classes that are said to be thread-safe, and where
        self._roots = roots
        self._names = calls.names
        self._owners = owners
        self._deeds = deeds
        self._state = state

    @cached_property
    def guarded(self) -> dict[Store, tuple[User, ...]]:
        """The state of whatever owns a lock, as far as it is changed after it was made, with all who touch it."""
        found: Users = {}
        for owner, locks in self._owners.locks.items():
            taken = {one.store for one in locks}
            objects = self._guards_objects(locks)
            for store, user in self._touched(self._inside(owner, locks)):
                own = store not in taken and self._answers_for(owner, locks[0].store.sort, store)
                if own and (objects or self._names.stores.of_class(store)):
                    _add(found, store, user)
        return self._changed(found)

    @cached_property
    def sworn(self) -> dict[Store, tuple[User, ...]]:
        """The state of the classes without a lock that are said to be thread-safe."""
        found: Users = {}
        for cls in (one for one in self._said if not self._owners.of_class(one)):
            for store, user in self._touched(self._methods(cls)):
                if self._answers_for(cls, "attribute", store) and store not in self.guarded:
                    _add(found, store, user)
        return self._acted_on(found)

    def _oath(self, store: Store) -> Note:
        cls = next(cls for cls in self._said if self._answers_for(cls, "attribute", store))
        return Note(self._said[cls], f"`{split_id(cls)[1]}` is said to be thread-safe here")

    @cached_property
    def served(self) -> dict[Store, tuple[User, ...]]:
        """The state of the applications that web servers call from their threads."""
        found: Users = {}
        for cls in self._applications:
            for store, user in self._touched(self._methods(cls)):
                if self._answers_for(cls, "attribute", store) and store not in self.guarded:
                    _add(found, store, user)
        return self._acted_on(found)

    @cached_property
    def beside(self) -> dict[Store, tuple[User, ...]]:
        """The state of the classes that stand beside one that owns a lock."""
        found: Users = {}
        for cls in self._beside:
            for store, user in self._touched(self._methods(cls)):
                if self._answers_for(cls, "attribute", store) and store not in self.guarded:
                    _add(found, store, user)
        return self._acted_on(found)

    @cached_property
    def _beside(self) -> dict[str, Note]:
        """Classes beside those that own a lock, and those that start threads, with what shows it."""
        found: dict[str, Note] = {}
        for owner, locks in self._owners.locks.items():
            path = split_id(owner)[0]
            for name in self._names.files[path].body.classes:
                words = f"a lock is taken here: the module of `{name}` is written for several threads"
                found.setdefault(function_id(path, name), Note(locks[0].place, words))
        for root in self._roots():
            owner = self._names.scopes.method_owner(root.site.file, root.site.function)
            if root.context is Context.THREAD and owner and not among_tests(root.site.file.path):
                note = Note(site_place(root.site), f"`{owner}` starts a thread here: it knows of several")
                found.setdefault(function_id(root.site.file.path, owner), note)
        for cls, note in self._singletons() if found else ():
            found.setdefault(cls, note)
        for cls, note in (*self._kept_by((*found, *self._owners.locks)), *self._asking()):
            found.setdefault(cls, note)
        return {cls: note for cls, note in found.items() if not self._owners.of_class(cls)}

    def _asking(self) -> Iterator[tuple[str, Note]]:
        """Classes with a method that asks in which thread it runs: several may come."""
        for name in ASKS:
            for site in self._calls.calls_named(name):
                owner = self._names.scopes.method_owner(site.file, site.function)
                if owner and IDENTITY & self._calls.library_names(site) and not among_tests(site.file.path):
                    words = f"`{owner}` asks here which thread runs it: it is meant for several"
                    yield function_id(site.file.path, owner), Note(site_place(site), words)

    def _kept_by(self, classes: Iterable[str]) -> Iterator[tuple[str, Note]]:
        """The classes whose objects an object of one of these makes and keeps: who reaches it reaches them too."""
        for cls in classes:
            for file, function in self._methods(cls).values():
                own = f"{function.params[0].name}." if function.owner and function.params else " "
                for call in function.calls:
                    plain = any(goal.startswith(own) and "[" not in goal for goal in call.goes)  # of items all have one
                    if plain and MADE.search(f"{call.func}()"):
                        site = Site(file, function, call)
                        words = f"kept here by `{split_id(cls)[1]}`, which is meant for several threads"
                        for value in self._calls.meaning(site).values:
                            if value.sort is Sort.CLASS and ":" in value.name:
                                yield value.name, Note(site_place(site), words)

    def _singletons(self) -> Iterator[tuple[str, Note]]:
        """Classes of which a module keeps an object for everybody, in a program that knows of threads."""
        for file in self._names.files:
            module = file.body.functions[""]
            lines = {path: line for path, _, line in module.touches}
            made = [(name, path) for name, path in module.binds if path.endswith("()") and MADE.search(path)]
            for name, path in () if among_tests(file.path) else made:
                for value in self._names.meaning(file, module, path).values:
                    if value.sort is Sort.INSTANCE and ":" in value.name and name in lines:
                        place = Place(file.path, Span(lines[name], 1, lines[name], 1))
                        yield value.name, Note(place, f"`{name}`, made here, is one object for all threads")

    @cached_property
    def everybodys(self) -> dict[Store, tuple[User, ...]]:
        """State of the whole process that functions act on in several steps."""
        found = Everybodys(self._calls, self._deeds).all()
        return {store: users for store, users in found.items() if not self._state.protects_itself(store)}

    # -- why

    def of(self, store: Store) -> Promise | None:
        """Who says that several threads reach the state."""
        owned = self._owned(store)
        if owned and store in self.guarded:
            return Promise(True, tuple(_guards(owner, one) for owner, one in owned[:1]))
        if store in self.sworn:
            return Promise(True, (self._oath(store),), sworn=True)
        if store in self.served:
            return Promise(False, (self._application(store),))
        if store in self.everybodys:
            return Promise(False, words=f"`{store.path}` is one for the whole process, and so for all its threads")
        return Promise(False, (self._neighbour(store),)) if store in self.beside else None

    def _neighbour(self, store: Store) -> Note:
        return next(note for cls, note in self._beside.items() if self._answers_for(cls, "attribute", store))

    def meant(self, function: str, *, firmly: bool) -> bool:
        """Whether the method belongs to a class that is meant for several threads, or to a base of one."""
        path, qualname = split_id(function)
        fact = self._names.files[path].body.functions[qualname]
        owner = self._names.scopes.method_owner(self._names.files[path], fact)
        classes = self._guarding if firmly else self._suggested
        return any(cls in classes for cls in self._names.classes.family(function_id(path, owner)))

    @cached_property
    def _guarding(self) -> set[str]:
        owners = (*self._owners.locks, *self._said)
        return {cls for owner in owners for cls in self._names.classes.family(owner)}

    @cached_property
    def _suggested(self) -> set[str]:
        return {*self._beside, *self._applications}

    def locks(self, store: Store) -> list[Owned]:
        """The locks of whoever owns the state."""
        return [one for _, one in self._owned(store)]

    def _owned(self, store: Store) -> list[tuple[str, Owned]]:
        """The locks of whoever owns the state, with the owner's name."""
        if store.sort != "attribute":
            name = split_id(store.owner)[1] or "the module"
            return [(name, one) for one in self._owners.locks.get(store.owner, ())]
        family = [cls for cls in self._names.classes.family(store.owner) if self._owners.of_class(cls)]
        return [(split_id(cls)[1], one) for cls in family[:1] for one in self._owners.of_class(cls)]

    @cached_property
    def _applications(self) -> dict[str, FunctionFact]:
        """The classes whose objects are WSGI applications, with what servers call: PEP 3333."""
        found = {}
        for file in self._names.files:
            for fact in () if among_tests(file.path) else file.body.classes.values():
                for qualname in (qualname for name, qualname in fact.methods if name == "__call__"):
                    function = file.body.functions[qualname]
                    if [one.name for one in function.params[2:3]] == ["start_response"]:
                        found[function_id(file.path, fact.qualname)] = function
        return found

    def _application(self, store: Store) -> Note:
        related = (cls for cls in self._applications if self._answers_for(cls, "attribute", store))
        cls = next(related)
        path, qualname = split_id(cls)
        line = self._applications[cls].line
        words = f"`{qualname}` is a WSGI application: servers call one object of it from several threads"
        return Note(Place(path, Span(line, 1, line, 1)), words)

    def _changed(self, found: Users) -> dict[Store, tuple[User, ...]]:
        tables = {store: tuple(some.values()) for store, some in found.items()}
        return {
            store: some
            for store, some in tables.items()
            if any(user.changes for user in some) and not self._state.protects_itself(store)
        }

    def _acted_on(self, found: Users) -> dict[Store, tuple[User, ...]]:
        """Of those only what somebody does something to in several steps, and by whom."""
        return {
            store: tuple(user for user in some if user.changes or user.in_steps)
            for store, some in self._changed(found).items()
            if any(user.in_steps for user in some)
        }

    def _methods(self, cls: str) -> dict[str, Function]:
        members = self._names.scopes.members(cls)
        return {function_id(file.path, function.qualname): (file, function) for file, function, _ in members}

    # -- who is inside

    def _answers_for(self, owner: str, sort: str, store: Store) -> bool:
        if sort == "attribute":
            mro = self._names.classes.mro
            return store.sort == sort and (owner in mro(store.owner) or store.owner in mro(owner))
        inside = sort == "local" and store.owner.startswith(owner + ".")
        return store.sort == sort and (store.owner == owner or inside)

    def _guards_objects(self, locks: Iterable[Owned]) -> bool:
        """Whether one of the locks is each object's own: a lock of the class guards what the class has."""
        return any(one.store.sort != "attribute" or not self._names.stores.of_class(one.store) for one in locks)

    def _inside(self, owner: str, locks: Iterable[Owned]) -> dict[str, Function]:
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

    def _touched(self, functions: dict[str, Function]) -> Iterator[tuple[Store, User]]:
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


def _add(found: Users, store: Store, user: User) -> None:
    found.setdefault(store, {})[function_id(user.file.path, user.function.qualname)] = user


def _guards(owner: str, owned: Owned) -> Note:
    name = owned.store.path
    return Note(owned.place, f"`{owner}` takes its own lock `{name}` here: it is meant for several threads")
