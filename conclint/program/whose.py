"""Whose state an access concerns."""

from __future__ import annotations

from conclint.index.facts import Use
from conclint.program.observations import Access
from conclint.program.spawns import Root
from conclint.program.values import Reach, Store

THREAD = "threading.Thread"


def within_reach(access: Access) -> bool:
    """Whether the object is one that others can have: `self`, a global, or the class itself."""
    if access.store.sort != "attribute":
        return True
    return access.through_class or access.reach in (Reach.SELF, Reach.SHARED)


def personal(access: Access) -> bool:
    """Whether it is the state of the method's own object."""
    return access.store.sort == "attribute" and not access.through_class and access.reach is Reach.SELF


def of_one_call(store: Store, one: Root, other: Root) -> bool:
    """Whether it is a variable of the call that starts a thread, and each call starts one thread only."""
    alone = one.number == other.number and one.how == THREAD and not one.site.call.use & Use.LOOP
    return alone and store.sort == "local" and store.owner == one.site.caller
