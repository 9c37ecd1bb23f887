"""Whose state an access concerns."""

from __future__ import annotations

from conclint.program.observations import Access
from conclint.program.values import Reach


def within_reach(access: Access) -> bool:
    """Whether the object is one that others can have: `self`, a global, or the class itself."""
    if access.store.sort != "attribute":
        return True
    return access.through_class or access.reach in (Reach.SELF, Reach.SHARED)


def personal(access: Access) -> bool:
    """Whether it is the state of the method's own object."""
    return access.store.sort == "attribute" and not access.through_class and access.reach is Reach.SELF
