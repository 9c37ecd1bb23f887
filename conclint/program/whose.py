"""Whose state an access concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conclint.index.facts import Use
from conclint.knowledge.kinds import Spawner
from conclint.program.conflicts import REMOVING
from conclint.program.contexts import Run
from conclint.program.homes import Home
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


def takes_own(access: Access) -> bool:
    """Whether it takes out the item that goes by the method's own object: nobody else's."""
    return access.own_item and access.operation in REMOVING


def variable_of(access: Access, homes: Sequence[Home]) -> str:
    """The function that has the state, or its object, in a variable, so that each call has its own; else ""."""
    if access.store.sort == "local":
        return access.store.owner
    return maker_of(homes[0]) if homes else ""


def maker_of(home: Home) -> str:
    """The function that has the object in a variable of its own; "" where it is anybody's."""
    sort, _, rest = (home[0] if home else "").partition("|")
    return rest.rpartition("|")[0] if sort == "local" else ""


def of_one_call(run: Run, maker: str, spawners: Mapping[str, Spawner]) -> bool:
    """Whether each call of the function starts one such worker at most."""
    site, spawner = run.root.site, spawners.get(run.root.how)
    many = site.call.use & Use.LOOP or (spawner is not None and spawner.many)
    return site.caller == maker and not many


def of_its_call(access: Access, run: Run | None) -> bool:
    """Whether it is a variable of a function that the same thread has called: each call has its own."""
    store = access.store
    if store.sort != "local" or run is None or access.function == store.owner:
        return store.sort == "local"
    while run.via is not None and run.site is not None:
        if run.site.caller == store.owner:
            return True
        run = run.via
    return run.root.target == store.owner
