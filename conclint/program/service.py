"""Whether a function is a job that ends by itself, or a service: one that waits for work, signals or other workers."""

from __future__ import annotations

from conclint.index.facts import Use
from conclint.knowledge.effects import MEETINGS
from conclint.program.calls import Calls, Site
from conclint.program.effects import Effect, Effects
from conclint.program.values import Value, split_id

# A service shows itself in its own loop or in that of a helper beside it; other loops are some protocol's details.
DEEP = 1

# Barriers and events are waited for a little further away.
FAR = 2


class Services:
    """Answers for functions that somebody starts in a thread or process."""

    def __init__(self, calls: Calls, effects: Effects) -> None:
        self._calls = calls
        self._effects = effects

    def serves(self, identity: str, depth: int = DEEP) -> bool:
        """Whether it has a `while` loop that waits for something, or for what nobody can see."""
        file, function = self._calls.function(identity)
        for call in function.calls:
            site = Site(file, function, call)
            if call.use & Use.WHILE and self._waits(site):
                return True
            beside = (one.name for one in self._callees(site) if split_id(one.name)[0] == file.path)
            if depth and any(self.serves(one, depth - 1) for one in beside):
                return True
        return False

    def meets(self, identity: str, depth: int = FAR) -> bool:
        """Whether it waits for another worker: at a barrier, for an event, an item or a message."""
        file, function = self._calls.function(identity)
        for call in function.calls:
            site = Site(file, function, call)
            if MEETINGS & self._calls.library_names(site):
                return True
            if depth and any(self.meets(value.name, depth - 1) for value in self._callees(site)):
                return True
        return False

    def _callees(self, site: Site) -> tuple[Value, ...]:
        return self._calls.targets(site.file, site.function, site.call.func)

    def _waits(self, site: Site) -> bool:
        called = self._callees(site)
        found = Effect.NONE if called else self._effects.of_library(site)
        for value in called:
            found |= self._effects.of(value.name)
        return bool(found & (Effect.BLOCKS | Effect.UNKNOWN))
