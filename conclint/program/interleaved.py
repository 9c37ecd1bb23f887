"""Tasks that come between the look and the act of another one, while that waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from conclint.knowledge.coroutines import HANDLERS
from conclint.model import Note
from conclint.program.linking import Program
from conclint.program.observations import Access, Observations, Straddle
from conclint.program.races import Races
from conclint.program.startsites import keyword
from conclint.program.tasks import TaskRun, trace
from conclint.program.testfiles import among_tests
from conclint.program.values import Reach, Store
from conclint.program.whose import personal


class Interleaved(NamedTuple):
    """Several tasks do it to the same state, by way of `run`; or, where none is seen, `promise` says that they may."""

    straddle: Straddle
    run: TaskRun | None
    promise: Note | None = None
    sure: bool = True

    @property
    def weak(self) -> bool:
        """Whether it is only said to those who ask; that two requests are about one item is to be expected."""
        handled = self.run is not None and self.run.task.how in HANDLERS
        return self.straddle.soft or not self.sure or (self.straddle.own_item and not handled)

    @property
    def notes(self) -> tuple[Note, ...]:
        how = trace(self.run) if self.run is not None else (self.promise,) if self.promise is not None else ()
        return (*how, Note(self.straddle.wait, "here the task may wait, and others run"))


class Interleavings:
    """Finds them in one program."""

    def __init__(self, program: Program, observations: Mapping[str, Observations], races: Races) -> None:
        self._program = program
        self._straddles = [one for path in sorted(observations) for one in observations[path].straddles]
        self._kept = [one for path in sorted(observations) for one in observations[path].kept]
        self._races = races

    def all(self) -> Iterator[Interleaved]:
        """Each place once."""
        found = (self._interleaved(straddle) for straddle in self._straddles)
        yield from {one.straddle.access.place: one for one in found if one is not None}.values()

    def _interleaved(self, straddle: Straddle) -> Interleaved | None:
        access = straddle.access
        if among_tests(access.place.path) or access.store in self._program.declared.left_alone:
            return None
        held = self._races.guards.held(access.held) | self._races.entry.held(access.function, personal=personal(access))
        if any(self._keeps_out(lock) for lock in held):
            return None
        run = next((one for one in self._program.tasks.runs(access.function) if _meets(access, one)), None)
        if run is not None:
            return Interleaved(straddle, run)
        promise = self._program.meant.by(access, self._kept)
        return Interleaved(straddle, None, promise[1], promise[0]) if promise is not None else None

    def _keeps_out(self, lock: str) -> bool:
        """Whether one task at a time has it: not so a semaphore for more than one."""
        sort, _, rest = lock.partition("|")
        owner, _, path = rest.rpartition("|")
        store = Store(sort, owner, path)
        names = self._program.names
        kinds = [names.knowledge.locks.get(one.name) for one in (names.held(store) if path else ())]
        if not kinds or not all(kind is not None and kind.counting for kind in kinds):
            return True
        made = [
            call
            for _, function, source in names.stores.puts(store)
            for call in function.calls
            if call.func + "()" == source
        ]
        return not made or any(keyword(call, "value", 0) in ("", "=1") for call in made)


def _meets(access: Access, run: TaskRun) -> bool:
    """Whether the tasks have the state in common."""
    store = access.store
    if store.sort == "local":
        caller = run.task.site.caller
        return caller == store.owner or caller.startswith(store.owner + ".") or run.shared
    if store.sort == "global" or access.through_class or access.reach is Reach.SHARED:
        return True
    if access.reach is Reach.SELF:
        return run.shared
    return access.text.partition(".")[0] in run.given
