"""What holds whenever a function is entered: the locks that every caller holds, the starts and joins around all its calls."""

from __future__ import annotations

from collections.abc import Mapping

from conclint.program.calls import Site
from conclint.program.linking import Program
from conclint.program.observations import HeldCall, Observations

# Callers of callers are followed so far.
DEEPEST = 6

NOT_HELD = HeldCall("", 0, 0, ())


class Entry:
    """Lock sets at function entry, over the call graph."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self._program = program
        self._calls = {
            (one.function, one.line, one.column): one for seen in observations.values() for one in seen.calls
        }
        self._targets = {root.target for root in program.spawns.roots}
        self._known: dict[str, frozenset[str]] = {}

    def at(self, site: Site) -> HeldCall:
        """What is known of a call: the locks held at it, and its order."""
        return self._calls.get((site.caller, site.call.line, site.call.column), NOT_HELD)

    def held(self, identity: str) -> frozenset[str]:
        """The locks that are held whenever the function begins."""
        known = self._known.get(identity)
        if known is None:
            known = self._known[identity] = self._held(identity, DEEPEST, frozenset({identity})) or frozenset()
        return known

    def _held(self, identity: str, depth: int, path: frozenset[str]) -> frozenset[str] | None:
        """None: every way in goes round in a circle, which says nothing."""
        if depth == 0 or identity in self._targets:
            return frozenset()
        common: frozenset[str] | None = None
        callers = self._program.calls.callers(identity)
        for site in callers:
            if site.caller in path:
                continue
            above = self._held(site.caller, depth - 1, path | {site.caller})
            here = frozenset(self.at(site).held) | (above or frozenset())
            common = here if common is None else common & here
            if not common:
                return frozenset()
        return common if callers else frozenset()
