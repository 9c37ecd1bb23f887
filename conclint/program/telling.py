"""How evidence is told: which threads meet, by which path, and what the other one does."""

from __future__ import annotations

from conclint.model import Finding, Note
from conclint.program.contexts import evidence
from conclint.program.observations import ITEM_CHANGED, Act
from conclint.program.promise import Promise
from conclint.program.races import Moment, Race

# What each act does to the state, as the other side of a race.
DOING = {
    Act.READ: "reads",
    Act.ITERATE: "iterates over",
    Act.REPLACE: "rebinds",
    Act.CHECK_ACT: "tests and changes",
    Act.LAZY_INIT: "creates",
}


def race_finding(race: Race, message: str) -> Finding:
    """A race at its moment's place, with its whole evidence."""
    return Finding(race.moment.access.place, message, notes=race_notes(race), when_asked=race.weak)


def at_once(race: Race) -> str:
    """Who can be there at the same time, to stand behind "is updated"."""
    one, other = race.moment, race.other
    if race.promise is not None:
        return "by several threads at once"
    if one.run is not None and other.run is not None and one.run.root.number == other.run.root.number:
        return "by several threads at once"
    if one.run is not None and other.run is not None:
        return "by two threads at once"
    return "by a thread and the main thread at once"


def rival(race: Race) -> str:
    """Who can come between the steps: "another thread", or the main one."""
    if race.promise is not None:
        return "another thread"
    return "the main thread" if race.other.run is None else "another thread" if race.moment.run else "a thread"


def race_notes(race: Race) -> tuple[Note, ...]:
    """Both sides of the race: how each comes to run in a thread, or who says that it may, and the other access."""
    notes = list(_path(race.moment)) if race.promise is None else _promise(race.promise, race.moment)
    if race.other.access.place != race.moment.access.place:
        notes.append(Note(race.other.access.place, _meeting(race.other, promised=race.promise is not None)))
    notes += _path(race.other)
    return tuple(dict.fromkeys(notes))


def _promise(promise: Promise, moment: Moment) -> list[Note]:
    own = [Note(moment.access.place, promise.words)] if promise.words else []
    return [*promise.notes, *own]


def _path(moment: Moment) -> tuple[Note, ...]:
    return evidence(moment.run) if moment.run is not None else ()


def _meeting(moment: Moment, *, promised: bool) -> str:
    access = moment.access
    where = "another thread" if promised else "the main thread" if moment.run is None else "a thread"
    doing = "changes" if access.operation == ITEM_CHANGED else DOING.get(access.act, "changes")
    return f"meanwhile {where} {doing} `{access.text}` here"
