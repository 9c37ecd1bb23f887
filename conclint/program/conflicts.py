"""Which act, coming between the steps of another one, spoils it."""

from __future__ import annotations

from conclint.program.observations import (
    CUT,
    EMPTIED,
    ITEM,
    ITEM_CHANGED,
    ITEM_WALKED,
    LOOK,
    LOOKED_UP,
    NEXT,
    REBUILT,
    SPENT,
    Access,
    Act,
)

# What takes items out of a container.
REMOVING = frozenset(
    (
        NEXT,
        CUT,
        "del",
        "pop",
        "popleft",
        "popitem",
        "remove",
        "discard",
        "clear",
        "difference_update",
        "intersection_update",
    )
)

# After these a name or attribute holds nothing any more.
GONE = frozenset({"=None", "del"})


def conflict(access: Access, other: Access) -> bool:
    """Whether the other access, coming between the steps of this one, spoils it."""
    if access.key and other.key and access.key != other.key:
        return False
    if access.operation == ITEM_WALKED:
        return other.operation == ITEM_CHANGED
    if access.act is Act.ITERATE:
        return other.resizes
    if access.act is Act.UNSTEADY:
        return _sees_half(access, other)
    if access.act is Act.RELY:
        return _takes_away(access, other)
    if access.act is Act.LAZY_INIT:
        return other.act is Act.LAZY_INIT
    if access.act is Act.CHECK_ACT:
        return _spoils_check(access, other)
    if access.operation == REBUILT:
        return other.act.writes
    if access.operation in (EMPTIED, SPENT):
        return _adds(other)
    if access.act is Act.UPDATE:
        return other.act in (Act.UPDATE, Act.REPLACE)
    if access.act is Act.UPDATE_ITEM and (other.act is Act.REPLACE or other.operation in ("append", "add")):
        return False  # begun anew, or another item
    return other.act.writes


def _adds(other: Access) -> bool:
    """Whether it puts an item into the container."""
    return other.act in (Act.CHANGE, Act.UNSTEADY, Act.UPDATE_ITEM, Act.CHECK_ACT) and other.operation not in REMOVING


def _takes_away(access: Access, other: Access) -> bool:
    """Whether what is relied on is gone then: the whole, or an item of it."""
    if access.operation == LOOKED_UP:
        return other.operation in REMOVING
    if access.operation == ITEM and (other.operation in REMOVING or other.act is Act.REPLACE):
        return True
    return other.operation in GONE


def _sees_half(access: Access, other: Access) -> bool:
    """Whether the other one finds the list in between; a loop that fails says so itself."""
    if other.act is Act.ITERATE:
        return not conflict(other, access)
    return other.operation == LOOK or (access.operation == "sort" and other.act.writes)


def _spoils_check(access: Access, other: Access) -> bool:
    """What is to be removed can be gone; what is to be added can be there already."""
    if access.operation in REMOVING:
        return other.operation in REMOVING
    return other.act is Act.CHECK_ACT and other.operation not in REMOVING
