"""Who owns a lock: classes, modules and functions that take one of their own somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from conclint.index.facts import CallFact, FunctionFact, Kind
from conclint.knowledge.kinds import Context, Knowledge
from conclint.knowledge.lockwords import is_mutex
from conclint.model import Place
from conclint.program.calls import Calls, Site
from conclint.program.contexts import site_place
from conclint.program.files import File
from conclint.program.testfiles import among_tests
from conclint.program.values import Meaning, Sort, Store, function_id

TAKING = ("__enter__", "acquire")

# Who does not wait for a lock of all objects asks whether one of them is inside already, further out most likely.
TRIES = "=False"


class Owned(NamedTuple):
    """A lock, and the first place where it is taken."""

    store: Store
    place: Place


class Owners:
    """Answers for one program."""

    def __init__(self, calls: Calls, knowledge: Knowledge) -> None:
        self._calls = calls
        self._knowledge = knowledge

    @cached_property
    def locks(self) -> dict[str, tuple[Owned, ...]]:
        """By the id of a class or function, or the path of a module: the locks of its own that are taken somewhere."""
        found: dict[str, dict[Store, Owned]] = {}
        for file in self._calls.files:
            if not among_tests(file.path):
                for owned in self._taken(file):
                    found.setdefault(owned.store.owner, {}).setdefault(owned.store, owned)
        return {owner: tuple(some.values()) for owner, some in found.items()}

    def of_class(self, cls: str) -> tuple[Owned, ...]:
        """The locks that an object of the class has, from its bases too."""
        bases = (base for base in self._calls.names.classes.mro(cls) if ":" in base)
        return tuple(owned for base in bases for owned in self.locks.get(base, ()))

    def _taken(self, file: File) -> Iterator[Owned]:
        for name in TAKING:
            if name in file.header.called:
                for function, call in self._calls.in_file(file, name):
                    site = Site(file, function, call)
                    store = self._lock(site, call.func.rpartition(".")[0])
                    if store is not None and not (_only_tries(call) and self._calls.names.stores.of_class(store)):
                        yield Owned(store, site_place(site))

    def _lock(self, site: Site, path: str) -> Store | None:
        meaning = self._calls.names.meaning(site.file, site.function, path)
        store = meaning.store
        if store is None or store.root != store or not self._is_lock(site.function, path, meaning):
            return None
        own = function_id(site.file.path, site.function.qualname)
        return None if store.sort == "local" and store.owner == own else store

    def _is_lock(self, function: FunctionFact, path: str, meaning: Meaning) -> bool:
        types = [value.name for value in meaning.values if value.sort is Sort.INSTANCE]
        kinds = [kind for name in types for one in self._ancestors(name) if (kind := self._knowledge.locks.get(one))]
        if kinds:
            return all(kind.among is Context.THREAD and not kind.counting for kind in kinds)
        if function.kind & Kind.ASYNC:
            return False
        names = [name.rpartition(":")[2].rpartition(".")[2] for name in types] or [path.rpartition(".")[2]]
        return any(is_mutex(name) for name in names)

    def _ancestors(self, name: str) -> tuple[str, ...]:
        return self._calls.names.classes.mro(name) if ":" in name else self._knowledge.ancestors(name)


def _only_tries(call: CallFact) -> bool:
    """`lock.acquire(blocking=False)`."""
    return TRIES in call.args[:1] or ("blocking", TRIES) in call.keywords
