"""Two starts of which only one happens, or of which one puts the thread where the other one was."""

from __future__ import annotations

from conclint.index.facts import Use
from conclint.program.entry import Entry
from conclint.program.spawns import Root

# Where the result of a call goes that a function ends with.
RETURNED = "$return"


def same_start(entry: Entry, one: Root, other: Root) -> bool:
    """Whether it is one start, or two that put the thread into one place: one ends before the other begins."""
    if one.number == other.number or (one.site.call == other.site.call and one.site.file is other.site.file):
        return True
    shared = {*one.site.call.goes} & {*other.site.call.goes}
    if one.target == other.target and any("." in place and place[0] != "$" for place in shared):
        return True
    if alternatives(entry, one, other):
        return not (one.many or other.many)
    here = one.site.caller == other.site.caller
    return here and any(place == RETURNED or ("." in place and place[0] != "$") for place in shared)


def alternatives(entry: Entry, one: Root, other: Root) -> bool:
    """Whether one call of their function, where it is decided which of the two it starts, starts one at most."""
    here = one.site.caller == other.site.caller and one.number != other.number
    below = one.site.call.use & other.site.call.use & Use.BRANCH
    return bool(here and below and one.target == other.target) and not _both(entry, one, other)


def _both(entry: Entry, one: Root, other: Root) -> bool:
    """Whether both may happen: each stands below an `if` of its own, and these ask different things."""
    first, second = entry.at(one.site), entry.at(other.site)
    if first is None or second is None or not first.asked or not second.asked:
        return False
    replaced = any(place.isidentifier() for place in {*one.site.call.goes} & {*other.site.call.goes})
    return not replaced and not {*first.asked} & {*second.asked}
