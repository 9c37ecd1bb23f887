"""Which state several threads reach and change: the little that is worth a close look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from conclint.index.facts import FunctionFact
from conclint.knowledge.frameworks import OF_REQUESTS
from conclint.knowledge.kinds import Context, Knowledge
from conclint.program.calls import Calls
from conclint.program.contexts import Contexts
from conclint.program.deeds import CONSTRUCTION, Deeds
from conclint.program.files import File
from conclint.program.values import Sort, Store, function_id, module_name, split_id

LOCAL = "threading.local"


class User(NamedTuple):
    """A function that touches the state: whether it changes it (making is no change), or acts in several steps."""

    file: File
    function: FunctionFact
    changes: bool
    in_steps: bool
    personal: bool  # only ever as an attribute of its own object


class Spelling(NamedTuple):
    """A function that touches something of the state's name, by these paths.

    `acting`: of those the ones that it changes, or does something to in several steps.
    """

    file: File
    function: FunctionFact
    paths: list[str]
    acting: list[str]


class When(NamedTuple):
    """The roots in whose threads something happens, those that can meet themselves, and whether main does it too."""

    roots: frozenset[int]
    many: frozenset[int]
    main: Callable[[], bool]


class State:
    """Finds the stores that a thread touches and that somebody changes after construction."""

    def __init__(self, calls: Calls, contexts: Contexts, knowledge: Knowledge, deeds: Deeds) -> None:
        self._calls = calls
        self._names = calls.names
        self._contexts = contexts
        self._knowledge = knowledge
        self._deeds = deeds
        self._spellings: dict[tuple[str, str], list[Spelling]] = {}

    def shared(self) -> dict[Store, tuple[User, ...]]:
        """Every candidate with all the functions that touch it."""
        seen: dict[Store, set[str]] = {}
        for identity in sorted(self._contexts.functions()):
            if any(run.context is Context.THREAD for run in self._contexts.runs(identity)):
                for store in self._stores(identity):
                    seen.setdefault(store, set()).add(split_id(identity)[0])
        found = {store: self._candidate(store, files) for store, files in seen.items()}
        return {store: users for store, users in found.items() if users}

    def _stores(self, identity: str) -> Iterator[Store]:
        file, function = self._calls.function(identity)
        given = (param.name for param in function.params if (identity, param.name) in self._names.passed)
        for path in dict.fromkeys((*given, *(path for path, _, _ in function.touches))):
            _, _, last = path.rpartition(".")
            if not self._names.files.changes.of(last) and last not in file.renamed:
                continue  # nobody in the program ever changes anything of this name
            store = self._names.meaning(file, function, path).store
            if store is not None and (store.sort != "local" or store.owner != identity):
                yield store.root

    def _candidate(self, store: Store, files: set[str]) -> tuple[User, ...]:
        if store.path.startswith("$") or (self.protects_itself(store) and not self._made_late(store)):
            return ()
        free = self._deeds.free_threaded  # then even a look into a list can find it half changed
        spelling = [*self._touching(store, files)]
        acting = [one for one in spelling if any(self._acts(one, path, store) for path in one.acting)]
        if not any(self._deeds.of(one.file, one.function).in_steps(path) for one in acting for path in one.paths):
            return ()  # to tell who means the state itself costs more
        named = (self._user(one, store) for one in (spelling if free else acting))
        users = tuple(user for user in named if user is not None and (free or user.changes or user.in_steps))
        meetings = [(user, self._when(user)) for user in users]
        met = any(
            _at_once(here, there)
            for one, here in meetings
            for other, there in meetings
            if one.in_steps and (other.changes or (free and one.changes))
        )
        return users if met else ()

    def _when(self, user: User) -> When:
        """In which threads the function touches the state; whether a thread can meet itself there."""
        identity = function_id(user.file.path, user.function.qualname)
        runs = [run for run in self._contexts.runs(identity) if run.context is Context.THREAD]
        if user.personal:
            runs = [run for run in runs if run.shared]
            many = [run for run in runs if run.many_each and run.many]
        else:
            many = [run for run in runs if run.many]
        roots = frozenset(run.root.number for run in runs)
        return When(roots, frozenset(run.root.number for run in many), partial(self._contexts.is_main, identity))

    def protects_itself(self, store: Store) -> bool:
        """Queues, events, locks and their like, bound once; what an object of `threading.local` has in each thread."""
        if store.sort == "attribute" and LOCAL in self._names.classes.mro(store.owner):
            return True
        if self._is_of_request(store):
            return True
        values = self._names.held(store)
        return bool(values) and all(value.sort is Sort.INSTANCE and self._safe(value.name) for value in values)

    def _made_late(self, store: Store) -> bool:
        """Whether it is made when the program runs: an executor where there is none, by two threads at once."""
        if self._is_of_request(store) or (store.sort == "attribute" and LOCAL in self._names.classes.mro(store.owner)):
            return False
        made = [function for _, function, path in self._names.stores.puts(store) if path != "$const"]
        return any(function.qualname and function.name not in CONSTRUCTION for function in made)

    def _is_of_request(self, store: Store) -> bool:
        """Whether a module imports it from a web framework, where it stands for another object in each request."""
        if store.sort != "global" or store.root != store:
            return False
        values = self._names.global_(store.owner, store.path).values
        return any(value.sort is Sort.LIBRARY and value.name in OF_REQUESTS for value in values)

    def _safe(self, name: str) -> bool:
        return name in self._knowledge.locks or self._knowledge.matches(self._knowledge.thread_safe, name)

    def users(self, store: Store, files: Iterable[str] = ()) -> Iterator[User]:
        """The functions that spell the state, by whatever path; `files` are those of the threads that touch it."""
        found = (self._user(one, store) for one in self._touching(store, files))
        return (user for user in found if user is not None)

    def _touching(self, store: Store, files: Iterable[str]) -> Iterator[Spelling]:
        """The functions that touch something of the state's name."""
        yield from (one for file in self._spelling(store, files) for one in self._in_file(file, store.path))
        for identity, name in self._names.aliases.get(store, ()):
            file, function = self._calls.function(identity)
            done = self._deeds.of(file, function)
            yield Spelling(file, function, [name], [name] if done.changes(name) or done.in_steps(name) else [])

    def _in_file(self, file: File, name: str) -> list[Spelling]:
        """The same for one file; many states have the same name."""
        key = (file.path, name)
        known = self._spellings.get(key)
        if known is None:
            known = self._spellings[key] = []
            for qualname, paths in file.body.functions.touching(name):
                function = file.body.functions[qualname]
                done = self._deeds.of(file, function)
                acting = [path for path in paths if done.changes(path) or done.in_steps(path)]
                known.append(Spelling(file, function, paths, acting))
        return known

    def _acts(self, one: Spelling, path: str, store: Store) -> bool:
        """Whether the function changes what it calls so, or does something to it in several steps."""
        changes = self._deeds.changes(one.file, one.function, path, store)
        return changes or self._deeds.of(one.file, one.function).in_steps(path)

    def _user(self, one: Spelling, store: Store) -> User | None:
        file, function, paths, _ = one
        own = [path for path in paths if self._is(file, function, path, store)]
        if not own:
            return None
        changes = any(self._deeds.changes(file, function, path, store) for path in own)
        in_steps = any(self._deeds.of(file, function).in_steps(path) for path in own)
        of_objects = store.sort == "attribute" and not self._names.stores.of_class(store)
        return User(file, function, changes, in_steps, of_objects and _of_self(function, own))

    def _is(self, file: File, function: FunctionFact, path: str, store: Store) -> bool:
        found = self._names.meaning(file, function, path).store
        return found is not None and found.root == store

    def _spelling(self, store: Store, files: Iterable[str]) -> list[File]:
        """The files that may name the state: for an attribute those that change one of this name, or run in threads."""
        own = split_id(store.owner)[0]
        if store.sort == "local":
            return [self._names.files[own]]
        chosen = {*files, own}
        if store.sort == "attribute":
            chosen |= {split_id(one)[0] for one in self._names.classes.family(store.owner)}
        if store.sort == "attribute":
            others = list(self._names.files.changes.near(own, store.path))
        else:
            stem = module_name(store.owner)
            others = self._names.files.importing(stem, store.path, near=own)
        return list(dict.fromkeys([*(self._names.files[path] for path in sorted(chosen)), *others]))


def _of_self(function: FunctionFact, paths: list[str]) -> bool:
    is_method = bool(function.owner and function.params)
    return is_method and all(path.startswith(function.params[0].name + ".") for path in paths)


def _at_once(one: When, other: When) -> bool:
    """Whether two threads, or a thread and main, can be there at the same time."""
    if one.many & other.roots or other.many & one.roots:
        return True
    if one.roots and other.roots and len(one.roots | other.roots) > 1:
        return True
    return bool(one.roots and other.main()) or bool(other.roots and one.main())
