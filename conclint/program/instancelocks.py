"""State of a class, or of the whole process, that is changed under a lock of which every object has its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from conclint.index.facts import Use
from conclint.knowledge.frameworks import MODELS
from conclint.program.aside import Aside
from conclint.program.calls import Site
from conclint.program.entry import Entry
from conclint.program.guards import ANY_LOCK, Guards
from conclint.program.linking import Program
from conclint.program.observations import Access, Act, Observations
from conclint.program.testfiles import among_tests
from conclint.program.values import Sort, Store, split_id

# A way from `main` to where an object is made is followed so far.
DEEPEST = 4

# Of what is called so there is one only, or everybody shares it.
ONE_ONLY = re.compile(r"singleton|borg|(?:^|_)(?:instance|singleton)s?$", re.IGNORECASE)


class OwnLock(NamedTuple):
    """An access to what all objects share, under `lock`, which is the object's own."""

    access: Access
    lock: Store
    weak: bool = False  # the program makes one object


class InstanceLocks:
    """Answers for one program."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self._program = program
        self._observations = observations
        self._guards = Guards(program, observations)
        self._entry = Entry(program, observations, self._guards)
        self._aside = Aside(program, self._entry)

    def all(self) -> Iterator[OwnLock]:
        """One for each function and piece of state."""
        read = self._read_too()
        seen: set[tuple[str, Store]] = set()
        for access in self._accesses():
            steps = access.act.reads_first or (access.act is Act.CHANGE and (access.function, access.store) in read)
            if not steps or (access.function, access.store) in seen:
                continue
            lock = self._own_lock(access)
            if lock is not None and not self._aside.access(access) and not self._one_only(access, lock):
                seen.add((access.function, access.store))
                yield OwnLock(access, lock, self._made_by_main(lock.owner))

    def _accesses(self) -> Iterator[Access]:
        for path in sorted(self._observations):
            for access in self._observations[path].accesses:
                common = access.through_class or access.store.sort == "global"
                if MODELS & {*self._program.names.classes.mro(access.store.owner)}:
                    continue  # what its body names, each object has for itself
                if access.held and common and access.store not in self._program.declared.left_alone:
                    yield access

    def _read_too(self) -> set[tuple[str, Store]]:
        """What functions read or walk over as well as change it, so that they act in steps."""
        return {(access.function, access.store) for access in self._accesses() if access.act in (Act.READ, Act.ITERATE)}

    def _own_lock(self, access: Access) -> Store | None:
        """The lock, where no other one is held that all objects share."""
        held = self._guards.held(access.held) | self._entry.held(access.function, personal=False)
        stores = [self._store(lock) for lock in sorted(held)]
        if ANY_LOCK in held or not all(store is not None and self._is_own(store) for store in stores):
            return None
        return stores[0] if stores else None

    @staticmethod
    def _store(lock: str) -> Store | None:
        sort, _, rest = lock.partition("|")
        owner, _, path = rest.rpartition("|")
        return Store(sort, owner, path) if sort == "attribute" and owner else None

    def _is_own(self, lock: Store) -> bool:
        """Whether each object makes a lock of its own: not one of the class, and none that it was given."""
        puts = [path for _, _, path in self._program.names.stores.puts(lock)]
        made = bool(puts) and all(path.endswith("()") for path in puts)
        kinds = (self._program.options.knowledge.locks.get(value.name) for value in self._program.names.held(lock))
        return made and any(kinds) and not self._program.names.stores.of_class(lock)

    def _one_only(self, access: Access, lock: Store) -> bool:
        """Whether there is one object only, so that its lock is everybody's."""
        file, fact = self._program.names.scopes.class_(lock.owner)
        if file is None or fact is None:
            return True
        names = [*fact.decorators, *fact.bases, *(name for name, _ in fact.binds), fact.qualname]
        if any(ONE_ONLY.search(name) for name in names) or any(name == "__new__" for name, _ in fact.methods):
            return True
        return self._made_once(lock.owner)

    def _made_once(self, cls: str) -> bool:
        """At one place in the whole program, which is passed once: by the module itself."""
        sites = self._made_at(cls)
        return len(sites) == 1 and not sites[0].function.qualname and not sites[0].call.use & Use.LOOP

    def _made_by_main(self, cls: str) -> bool:
        """At one place in the whole program, to which only one way leads, from a module or `main`."""
        sites = self._real(self._made_at(cls))
        for _ in range(DEEPEST):
            if len(sites) != 1 or sites[0].call.use & Use.LOOP:
                return False
            if sites[0].function.qualname in ("", "main"):
                return True
            sites = self._real(self._program.calls.callers(sites[0].caller))
        return False

    @staticmethod
    def _real(sites: Iterable[Site]) -> list[Site]:
        return [site for site in sites if not among_tests(site.file.path)]

    def _made_at(self, cls: str) -> list[Site]:
        """Where objects of the class or of those below it are made."""
        sites = []
        for one in self._program.names.classes.family(cls):
            name = split_id(one)[1].rpartition(".")[2].partition("#")[0]
            for site in self._program.calls.calls_named(name):
                values = self._program.calls.meaning(site).values
                if any(value.sort is Sort.CLASS and value.name == one for value in values):
                    sites.append(site)
        return sites
