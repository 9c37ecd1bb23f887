"""Whether two orders of instance locks can be about the same two objects.

A worker that holds its lock calls the connection that it made for itself, and another connection, which holds its own
lock, calls the workers that it made.  Who made whom is a tree: the worker's connection does not lead back to the worker
unless somebody tells it of the worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from conclint.program.calls import Site
from conclint.program.deep import Step
from conclint.program.ownparts import OwnParts
from conclint.program.takes import Taken
from conclint.program.values import Reach, Sort

if TYPE_CHECKING:
    from conclint.program.linking import Program


class Order(Protocol):
    """`inner` is taken while `outer` is held: as `text`, or further on along `path`."""

    @property
    def outer(self) -> Taken: ...
    @property
    def inner(self) -> str: ...
    @property
    def path(self) -> tuple[Step, ...]: ...
    @property
    def text(self) -> str: ...


class Kinship:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._names = program.names
        self._takes = program.locking.takes
        self._parts = OwnParts(program.calls)

    def apart(self, one: Order, other: Order) -> bool:
        """Whether the objects of which the two locks are taken in one order are never those of the other order."""
        return any(self._goes_down(down) and self._reaches(back) for down, back in ((one, other), (other, one)))

    def _goes_down(self, order: Order) -> bool:
        """Whether the second lock is that of a part which the first one's object made, and that knows nothing of it."""
        owner = order.outer.text.rpartition(".")[0]
        attribute, _, rest = order.text.removeprefix(owner + ".").partition(".")
        if not owner or not order.text.startswith(owner + ".") or not rest or "." in rest or "[" in attribute:
            return False
        if order.path and not self._stays(order):
            return False
        classes = self._classes(order.outer.site, owner)
        return bool(classes) and all(self._parts.is_unaware(cls, attribute) for cls in classes)

    def _stays(self, order: Order) -> bool:
        """Whether all that follows the first call happens to one object, whose lock it is."""
        last = self._takes.of(order.path[-1].callee)
        return all(step.own for step in order.path[1:]) and any(one.own and one.lock == order.inner for one in last)

    def _reaches(self, order: Order) -> bool:
        """Whether the object comes to the second lock by way of what it made itself."""
        taken = order.outer
        owner, _, _ = taken.text.rpartition(".")
        attribute, dot, _ = order.text.removeprefix(owner + ".").partition(".")
        if not taken.own or not dot or not order.text.startswith(owner + "."):
            return False
        classes = self._classes(taken.site, owner)
        own = bool(classes) and all(self._parts.is_own(cls, attribute.partition("[")[0]) for cls in classes)
        return own and not any(self._is_everybodys(site, site.call.func) for site in self._sites(order))

    def _sites(self, order: Order) -> list[Site]:
        """The calls behind the first, down to the lock."""
        last = self._takes.of(order.path[-1].callee) if order.path else ()
        return [*(step.site for step in order.path[1:]), *(one.site for one in last if one.lock == order.inner)]

    def _is_everybodys(self, site: Site, path: str) -> bool:
        """Whether the receiver is reached by a global."""
        return self._names.meaning(site.file, site.function, path.rpartition(".")[0]).reach is Reach.SHARED

    def _classes(self, site: Site, path: str) -> list[str]:
        values = self._names.meaning(site.file, site.function, path).values
        own = [value.name for value in values if value.sort is Sort.INSTANCE and ":" in value.name]
        return own if len(own) == len(values) else []
