"""Tasks that come between the look and the act of another one, while that waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.model import Note
from conclint.program.linking import Program
from conclint.program.observations import Access, Straddle
from conclint.program.races import Races, personal
from conclint.program.tasks import TaskRun, trace
from conclint.program.testfiles import among_tests
from conclint.program.values import Reach


class Interleaved(NamedTuple):
    """Several tasks do it to the same state, by way of `run`."""

    straddle: Straddle
    run: TaskRun

    @property
    def notes(self) -> tuple[Note, ...]:
        return (*trace(self.run), Note(self.straddle.wait, "here the task may wait, and others run"))


class Interleavings:
    """Finds them in one program."""

    def __init__(self, program: Program, straddles: Iterator[Straddle], races: Races) -> None:
        self._program = program
        self._straddles = straddles
        self._races = races

    def all(self) -> Iterator[Interleaved]:
        for straddle in self._straddles:
            access = straddle.access
            if among_tests(access.place.path) or access.store in self._program.declared.left_alone:
                continue
            if self._races.entry.held(access.function, personal=personal(access)):
                continue
            run = next((one for one in self._program.tasks.runs(access.function) if _meets(access, one)), None)
            if run is not None:
                yield Interleaved(straddle, run)


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
