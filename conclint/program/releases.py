"""Locks that know their holder, given back by another thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.index.facts import FunctionFact
from conclint.knowledge.kinds import Context
from conclint.knowledge.starting import THREADS
from conclint.program.calls import Site
from conclint.program.files import File
from conclint.program.takes import Taken
from conclint.program.values import Store

if TYPE_CHECKING:
    from conclint.program.linking import Program

# docs.python.org/3/library/threading.html#threading.RLock.release: RuntimeError for all but the holder
OWNED = ("threading.RLock.release", "multiprocessing.RLock.release", "threading.Condition.release")


class Release(NamedTuple):
    """At `site` another thread gives back a lock (`text`), or is told to; `taken`: where it is taken, if known."""

    site: Site
    text: str
    taken: Taken | None


class Releases:
    """Finds those of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def all(self) -> Iterator[Release]:
        """Bound methods that are handed to a thread, and threads that release what they have not taken."""
        for file in self._program.files:
            for name in sorted(THREADS):
                if name in file.header.called:
                    for function, call in file.body.functions.calling(name):
                        yield from self._handed(Site(file, function, call))
        seen = set()
        for root in self._program.spawns.roots:
            alone = not self._program.contexts.is_main(root.target)
            if root.context is Context.THREAD and alone and root.target not in seen:
                seen.add(root.target)
                yield from self._released(*self._program.calls.function(root.target))

    def _handed(self, site: Site) -> Iterator[Release]:
        knowledge = self._program.options.knowledge
        spawners = (knowledge.spawners.get(name) for name in self._program.calls.library_names(site))
        if any(one is not None and one.context is Context.THREAD for one in spawners):
            for path in (*site.call.args, *(path for _, path in site.call.keywords)):
                if path.endswith(".release") and self._is_owned(site.file, site.function, path):
                    yield Release(site, path, None)

    def _released(self, file: File, function: FunctionFact) -> Iterator[Release]:
        """What a thread gives back without having taken it, although somebody else takes it."""
        for call in function.calls:
            site = Site(file, function, call)
            if call.func.endswith(".release") and self._is_owned(file, function, call.func):
                meaning = self._program.names.meaning(file, function, call.func.rpartition(".")[0])
                taken = self._taken_elsewhere(site, meaning.store) if meaning.store is not None else None
                if taken is not None:
                    yield Release(site, call.func, taken)

    def _taken_elsewhere(self, site: Site, store: Store) -> Taken | None:
        """Where another function takes the lock; None where the thread itself may have it."""
        locking = self._program.locking
        (lock,) = locking.guards.held([f"{store.sort}|{store.owner}|{store.path}"])
        own = any(one.lock == lock for one in locking.takes.of(site.caller))
        bit = locking.bit(lock)
        if own or not locking.takes.identified(lock) or locking.any.of(site.caller) & bit:
            return None
        return next((one for some in locking.takes.by_function.values() for one in some if one.lock == lock), None)

    def _is_owned(self, file: File, function: FunctionFact, path: str) -> bool:
        values = self._program.names.meaning(file, function, path).values
        return any(value.name in OWNED for value in values)
