"""Queues that somebody waits for: `join()` comes back when `task_done()` was called for every item."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from conclint.knowledge.names import below
from conclint.program.calls import Calls, Site
from conclint.program.scene import Named
from conclint.program.stops import Stops
from conclint.program.values import Store

# docs.python.org/3/library/queue.html, multiprocessing.html#multiprocessing.JoinableQueue, asyncio-queue.html
COUNTED = frozenset({"queue.Queue", "multiprocessing.JoinableQueue", "asyncio.Queue"})
_CALLS = {
    method: frozenset(name for owner in COUNTED for name in below(owner, method))
    for method in ("join", "task_done", "get", "get_nowait")
}


class Queues:
    """Answers about the queues of a program."""

    def __init__(self, calls: Calls, stops: Stops) -> None:
        self._calls = calls
        self._stops = stops

    def joined(self, named: Iterable[tuple[str, str, Named]]) -> tuple[tuple[Store, bool], ...]:
        """The queues among what is named for whose end somebody waits; False: nobody in the program counts items."""
        found = []
        for store in sorted({one.store for _, _, one in named if one.store is not None and COUNTED & {*one.types}}):
            roots = self._roots(store) if self._joined else set()
            if roots & self._joined:
                counted = self._counts_unseen or bool(roots & self._counted)
                found.append((store, counted or not roots & self._taken))
        return tuple(found)

    @cached_property
    def _counted(self) -> set[Store]:
        return self._of("task_done")

    @cached_property
    def _counts_unseen(self) -> bool:
        """Whether somebody counts items of a queue that cannot be told from others."""
        for site in self._calls.calls_named("task_done"):
            owner, _, _ = site.call.func.rpartition(".")
            roots = self._roots_of(site, owner)
            params = {param.name for param in site.function.params}
            handed_in = roots == {Store("local", site.caller, owner)} and owner in params
            known = _CALLS["task_done"] & self._calls.library_names(site)
            if not known or not roots or handed_in:
                return True
        return False

    @cached_property
    def _taken(self) -> set[Store]:
        return self._of("get") | self._of("get_nowait")

    @cached_property
    def _joined(self) -> set[Store]:
        return self._of("join")

    def _of(self, method: str) -> set[Store]:
        """The queues of which the method is called, under all names that lead to them."""
        found: set[Store] = set()
        for site in self._calls.calls_named(method):
            owner, _, _ = site.call.func.rpartition(".")
            if owner and not owner.startswith("$") and _CALLS[method] & self._calls.library_names(site):
                found |= self._roots_of(site, owner)
        return found

    def _roots_of(self, site: Site, owner: str) -> set[Store]:
        store = self._calls.names.meaning(site.file, site.function, owner).store
        return self._roots(store) if store is not None else set()

    def _roots(self, store: Store) -> set[Store]:
        """The store itself, and those from which it was handed on."""
        return {store, *self._stops.origins(store)}
