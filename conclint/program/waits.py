"""What functions wait for: sleeps, networks, other programs, threads, results, queues."""

from __future__ import annotations

from conclint.index.facts import CallFact
from conclint.knowledge.waiting import WAITS, Wait
from conclint.program.calls import Calls, Site
from conclint.program.deep import Deep, Step, Steps

# A limit at this position of the arguments says how long the call waits at most.
LIMITS = {Wait.JOIN: 0, Wait.RESULT: 0, Wait.EVENT: 0, Wait.QUEUE: 1}
LIMITED = {"concurrent.futures.wait": 1, "select.select": 3, "select.poll.poll": 0, "select.epoll.poll": 0}

LAST = frozenset(name.rpartition(".")[2] for name in WAITS)


class Waits:
    """The waits of functions, their callees included."""

    def __init__(self, calls: Calls, steps: Steps) -> None:
        self._calls = calls
        self._steps = steps
        self._own: dict[str, int] = {}
        self._deep = Deep(steps, self.own)

    def of(self, identity: str) -> Wait:
        """What running the function can wait for."""
        return Wait(self._deep.of(identity))

    def own(self, identity: str) -> int:
        """What the function itself waits for."""
        known = self._own.get(identity)
        if known is None:
            file, function = self._calls.function(identity)
            known = 0
            for call in function.calls:
                known |= self.at(Site(file, function, call))
            self._own[identity] = known
        return known

    def at(self, site: Site) -> Wait:
        """What a call of a library waits for, without a limit."""
        last = site.call.func.rpartition(".")[2]
        if last not in LAST and last not in site.file.renamed:
            return Wait.NONE
        if self._calls.targets(site.file, site.function, site.call.func):
            return Wait.NONE
        name = next((one for one in sorted(self._calls.library_names(site)) if one in WAITS), "")
        if not name or _limited(site.call, name) or _is_done(site):
            return Wait.NONE
        return WAITS[name]

    def trail(self, step: Step, wait: Wait) -> tuple[tuple[Step, ...], Site]:
        """The calls from a function that is called to where it waits."""
        path = self._deep.path(step.callee, wait)
        file, function = self._calls.function(path[-1].callee if path else step.callee)
        sites = (Site(file, function, call) for call in function.calls)
        return path, next(site for site in sites if self.at(site) & wait)


def _limited(call: CallFact, name: str) -> bool:
    """Whether it waits no longer than its author says, or does not wait at all."""
    wait, words = WAITS[name], dict(call.keywords)
    if wait is Wait.SLEEP:
        return call.args[:1] == ("=0",)
    if wait in (Wait.PROCESS, Wait.NETWORK, Wait.CONDITION) and name not in LIMITED:
        return False
    if words.get("timeout", "=None") != "=None" or "=False" in (words.get("block"), words.get("wait"), *call.args[:1]):
        return True
    place = LIMITED.get(name, LIMITS.get(wait))
    return place is not None and len(call.args) > place and call.args[place] not in ("=None", "=True")


def _is_done(site: Site) -> bool:
    """`if future.done(): future.result()`."""
    owner, _, method = site.call.func.rpartition(".")
    asked = f"{owner}.done"
    return method in ("result", "exception") and any(call.func == asked for call in site.function.calls)
