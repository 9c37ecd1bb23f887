"""What running a function does to the world: waits, reads and writes, prints, or keeps the interpreter busy."""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Kind, Use
from conclint.knowledge.kinds import Knowledge
from conclint.program.calls import Calls, Site
from conclint.program.values import Sort


class Effect(IntFlag):
    """Effects of a function and of everything it calls."""

    NONE = 0
    IO = 1
    BLOCKS = 2
    RELEASES = 4  # computes with the GIL released, or may
    UNKNOWN = 8  # calls what nobody can see
    BUSY = 16  # spends its time in Python-level loops
    DURABLE = 32  # writes something that an abrupt end would tear
    LOOPS = 64  # has a loop that may run long


class Reason(NamedTuple):
    """Which call gives the function an effect; `below` continues in the callee."""

    site: Site
    name: str


# How much arithmetic in a loop makes it work rather than bookkeeping; nested loops need less.
SOME_WORK = 2


class Effects:
    """Effects of functions, closed over the calls they make; computed only for functions that somebody asks about."""

    def __init__(self, calls: Calls, knowledge: Knowledge) -> None:
        self._calls = calls
        self._knowledge = knowledge
        self._known: dict[str, Effect] = {}
        self._reasons: dict[tuple[str, Effect], Reason] = {}

    def of(self, identity: str) -> Effect:
        """All effects of running the function."""
        known = self._known.get(identity)
        if known is not None:
            return known
        self._known[identity] = Effect.NONE  # a cycle adds nothing
        file, function = self._calls.function(identity)
        found = self._own(identity, function)
        for call in function.calls:
            found |= self._of_call(identity, Site(file, function, call))
        self._known[identity] = found
        return found

    def reason(self, identity: str, effect: Effect) -> tuple[Site, ...]:
        """The calls that lead to the effect, outermost first; empty when it is the function's own."""
        found: list[Site] = []
        while (reason := self._reasons.get((identity, effect))) is not None and len(found) < 8:
            found.append(reason.site)
            identity = reason.name
        return tuple(found)

    def _own(self, identity: str, function: FunctionFact) -> Effect:
        found = Effect.NONE
        if function.depth:
            found |= Effect.LOOPS
        if self._busy(identity, function):
            found |= Effect.BUSY
        if function.kind & (Kind.ASYNC | Kind.GENERATOR):
            found |= Effect.UNKNOWN
        return found

    def _busy(self, identity: str, function: FunctionFact) -> bool:
        """Loops with arithmetic in them, or a function that calls itself more than once."""
        if function.depth and function.work * function.depth >= SOME_WORK:
            return True
        itself = [call for call in function.calls if call.func.rpartition(".")[2] == function.name]
        return len(itself) > 1 and not function.depth

    def _of_call(self, identity: str, site: Site) -> Effect:
        targets = self._calls.targets(site.file, site.function, site.call.func)
        found = Effect.NONE
        for value in targets:
            inner = self.of(value.name)
            if not site.call.use & Use.LOOP or site.call.use & Use.SHORT:
                found |= inner
            else:
                found |= inner | (Effect.BUSY if inner & Effect.LOOPS and inner & Effect.BUSY else Effect.NONE)
            self._remember(identity, inner, Reason(site, value.name))
        if not targets:
            found |= self._of_library(identity, site)
        return found

    def _of_library(self, identity: str, site: Site) -> Effect:
        names = self._calls.library_names(site)
        found = Effect.NONE
        knows = self._knowledge
        for name in names:
            found |= Effect.IO if knows.matches(knows.io, name) else Effect.NONE
            found |= Effect.BLOCKS if knows.matches(knows.blocking, name) else Effect.NONE
            found |= Effect.RELEASES if knows.matches(knows.releases_gil, name) else Effect.NONE
            found |= Effect.DURABLE if knows.matches(knows.durable, name) else Effect.NONE
        if not found and not any(knows.matches(knows.holds_gil, name) for name in names):
            found = Effect.NONE if self._harmless(site) else Effect.UNKNOWN
        self._remember(identity, found, Reason(site, ""))
        return found

    def _harmless(self, site: Site) -> bool:
        """A class of the program without a constructor, or a method of a literal or a container made here."""
        meaning = self._calls.meaning(site)
        return any(value.sort is Sort.CLASS for value in meaning.values)

    def _remember(self, identity: str, effects: Effect, reason: Reason) -> None:
        for effect in Effect:
            if effects & effect:
                self._reasons.setdefault((identity, effect), reason)


