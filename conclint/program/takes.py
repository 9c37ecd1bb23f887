"""Who takes which lock, as far as the index shows: what deserves a close look is decided before anything is parsed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.index.facts import CallFact, FunctionFact, Use
from conclint.knowledge.kinds import Context, LockKind
from conclint.program.calls import Site
from conclint.program.files import File
from conclint.program.guards import Guards
from conclint.program.values import Meaning, Sort, Store, Value, function_id, split_id

if TYPE_CHECKING:
    from conclint.program.linking import Program

# So few lines after it was made nobody else has a lock.
JUST = 2


class Taken(NamedTuple):
    """A function takes a lock: by which name, whether it is the lock of the method's own object, whether it waits."""

    lock: str
    text: str
    own: bool
    waits: bool
    site: Site


class Takes:
    """The locks that functions take themselves, each under one name for the whole program (see `Guards`)."""

    def __init__(self, program: Program, guards: Guards) -> None:
        self._program = program
        self._guards = guards
        self._kinds: dict[str, LockKind | None] = {}

    @cached_property
    def by_function(self) -> dict[str, tuple[Taken, ...]]:
        """What each function takes, in the order of its calls."""
        found: dict[str, list[Taken]] = {}
        for file in self._program.files:
            for name in ("__enter__", "acquire"):
                for function, call in file.body.functions.calling(name) if name in file.header.called else ():
                    site = Site(file, function, call)
                    taken = self._taken(site, name)
                    if taken is not None:
                        found.setdefault(site.caller, []).append(taken)
        for identity, wrapped in self._by_decorators():
            found[identity] = [*wrapped, *found.get(identity, ())]
        return {one: tuple(found[one]) for one in sorted(found)}

    def _by_decorators(self) -> Iterator[tuple[str, list[Taken]]]:
        """What decorators take around methods: `self.lock`, as the wrapper's first parameter has it."""
        for file in self._program.files:
            entering = file.body.functions.calling("__enter__") if "__enter__" in file.header.called else ()
            wrappers = {one.qualname for one, call in entering if not one.owner and _enters_first(one, call)}
            for function in file.functions() if wrappers else ():
                for path in function.wrappers if function.owner else ():
                    for value in self._program.calls.targets(file, function, path):
                        home, qualname = split_id(value.name)
                        if home == file.path:
                            inside = (one for one in wrappers if one.startswith(qualname + "."))
                            found = [taken for one in inside for taken in self._wrapped(file, one, function)]
                            if found:
                                yield function_id(file.path, function.qualname), found

    def _wrapped(self, file: File, wrapper: str, function: FunctionFact) -> Iterator[Taken]:
        around = file.body.functions[wrapper]
        first = around.params[0].name if around.params else ""
        for call in around.calls:
            head, _, rest = call.func.partition(".")
            if head == first and call.use & Use.WITH and rest.endswith(".__enter__"):
                here = call._replace(func=f"{function.params[0].name}.{rest}", line=function.line)
                taken = self._taken(Site(file, function, here), "__enter__")
                if taken is not None:
                    yield taken

    def of(self, identity: str) -> tuple[Taken, ...]:
        return self.by_function.get(identity, ())

    def own(self, identity: str) -> frozenset[str]:
        """The locks of its own object that the method takes."""
        return frozenset(one.lock for one in self.of(identity) if one.own)

    def _taken(self, site: Site, name: str) -> Taken | None:
        if name == "__enter__" and not site.call.use & Use.WITH:
            return None
        path = site.call.func.rpartition(".")[0]
        meaning = self._program.names.meaning(site.file, site.function, path)
        if meaning.store is None or not any(_keeps_threads_out(kind) for kind in self._kinds_of(meaning.values)):
            return None
        store = meaning.store
        (lock,) = self._guards.held([f"{store.sort}|{store.owner}|{store.path}"])
        waits = _waits(site.call) and not _takes_back(site, path) and not _is_new(site, path)
        return Taken(lock, path, _is_own(site.function, path, meaning), waits, site)

    def _kinds_of(self, values: Iterable[Value]) -> Iterator[LockKind]:
        options = self._program.options
        for value in values:
            if value.sort is Sort.INSTANCE:
                known = self._program.names.classes.mro if ":" in value.name else options.knowledge.ancestors
                yield from (kind for name in known(value.name) if (kind := options.knowledge.locks.get(name)))

    # -- what a lock is

    def kind(self, lock: str) -> LockKind | None:
        """The kind of a lock; None where nobody knows, or it may be one of several."""
        if lock not in self._kinds:
            self._kinds[lock] = self._kind(lock)
        return self._kinds[lock]

    def _kind(self, lock: str) -> LockKind | None:
        store = store_of(lock)
        if store is None:
            return None
        puts = list(self._program.names.stores.puts(store))
        kinds = {kind for file, function, path in puts for kind in self._put(file, function, path, store)}
        return kinds.pop() if len(kinds) == 1 else None

    def _put(self, file: File, function: FunctionFact, path: str, store: Store) -> Iterator[LockKind]:
        meaning = self._program.names.meaning(file, function, path.removeprefix(":"))
        values = meaning.values
        if path.startswith(":"):
            values = tuple(value._replace(sort=Sort.INSTANCE) for value in values)
        for kind in self._kinds_of(values):
            inner = list(self._inside(file, function, path, store)) if kind.condition else []
            yield from inner or [kind]

    def _inside(self, file: File, function: FunctionFact, path: str, store: Store) -> Iterator[LockKind]:
        """`Condition(Lock())`: the lock that is given decides."""
        for call in function.calls:
            if call.func + "()" == path and any(goal.rpartition(".")[2] == store.path for goal in call.goes):
                for given in (*call.args[:1], *(value for word, value in call.keywords if word == "lock")):
                    yield from self._kinds_of(self._program.names.meaning(file, function, given).values)

    def identified(self, lock: str) -> bool:
        """Whether it is one lock wherever it is named: no item of a container, nothing that a parameter brings."""
        store = store_of(lock)
        if store is None or "[" in store.path or "$" in store.path:
            return False
        if store.sort != "local":
            return True
        path, qualname = split_id(store.owner)
        function = self._program.files[path].function(qualname)
        return function is not None and all(param.name != store.path for param in function.params)


def store_of(lock: str) -> Store | None:
    """The variable or attribute that holds a lock, by the lock's name in lock sets."""
    sort, _, rest = lock.partition("|")
    owner, _, path = rest.rpartition("|")
    return Store(sort, owner, path) if sort in ("local", "global", "attribute") else None


def _enters_first(function: FunctionFact, call: CallFact) -> bool:
    """`with self.lock:` in a function that only looks like a method."""
    return "." in function.qualname and [one.name for one in function.params[:1]] == [call.func.partition(".")[0]]


def _keeps_threads_out(kind: LockKind) -> bool:
    return kind.among is not Context.LOOP and not kind.counting


def _is_own(function: FunctionFact, path: str, meaning: Meaning) -> bool:
    """`self._lock` in a method."""
    head, dot, rest = path.partition(".")
    own = bool(function.owner and function.params and function.params[0].name == head)
    return own and bool(dot) and "." not in rest and meaning.store is not None and meaning.store.sort == "attribute"


def _is_new(site: Site, path: str) -> bool:
    """Whether it was made right before: nobody else can hold it."""
    return any(path in call.goes and 0 < site.call.line - call.line <= JUST for call in site.function.calls)


def _takes_back(site: Site, path: str) -> bool:
    """Whether the function only takes back what it was called with and has given away for a while."""
    steps = (call.func.rpartition(".") for call in site.function.calls if call.line <= site.call.line)
    done = (name for owner, _, name in steps if owner == path)
    return next((name for name in done if name in ("acquire", "__enter__", "release")), "") == "release"


def _waits(call: CallFact) -> bool:
    """Whether it comes back only with the lock: `acquire()`, not `acquire(False)` or `acquire(timeout=1)`."""
    if call.args[:1] in ((), ("=True",)) and len(call.args) < 2:
        return all(word == "blocking" and value == "=True" for word, value in call.keywords)
    return False
