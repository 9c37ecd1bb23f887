"""What holds whenever a function is entered: the locks of every caller, whether an object is only being made."""

from __future__ import annotations

from collections.abc import Mapping

from conclint.index.facts import Kind
from conclint.knowledge.frameworks import VALIDATORS
from conclint.program.calls import Site, hands_itself, is_base_call
from conclint.program.contexts import Run
from conclint.program.deeds import CONSTRUCTION
from conclint.program.deep import is_own
from conclint.program.guards import Guards
from conclint.program.linking import Program
from conclint.program.observations import HeldCall, Observations, Point
from conclint.program.testfiles import only_tests
from conclint.program.values import Reach, function_id, split_id

CHECKING = frozenset(name.rpartition(".")[2] for name in VALIDATORS)

# Callers of callers are followed so far.
DEEPEST = 6


class Entry:
    """Lock sets at function entry, over the call graph."""

    def __init__(self, program: Program, observations: Mapping[str, Observations], guards: Guards) -> None:
        self._program = program
        self._guards = guards
        self._calls = {
            (one.point.function, one.point.line, one.path): one for seen in observations.values() for one in seen.calls
        }
        self._targets = {root.target for root in program.spawns.roots}
        self._known: dict[tuple[str, bool], frozenset[str]] = {}
        self._by_class: dict[str, list[Site]] = {}

    def at(self, site: Site) -> HeldCall | None:
        """What is known of a call: the locks held at it, and its order."""
        return self._calls.get((site.caller, site.call.line, site.call.func))

    def point(self, site: Site) -> Point | None:
        """When the call happens."""
        call = self.at(site)
        return call.point if call is not None else None

    def along(self, run: Run, *, personal: bool) -> frozenset[str]:
        """The locks that are held on the way from a start to what it runs; `personal`: those of the same object."""
        found: frozenset[str] = frozenset()
        while run.site is not None and run.via is not None and (is_own(run.site) or not personal):
            call = self.at(run.site)
            found |= self._guards.held(call.held) if call is not None else frozenset()
            run = run.via
        return found

    def held(self, identity: str, *, personal: bool) -> frozenset[str]:
        """The locks that are held whenever the function begins; `personal`: for an object that others can have."""
        key = (identity, personal)
        known = self._known.get(key)
        if known is None:
            found = self._held(identity, DEEPEST, frozenset({identity}), personal=personal)
            known = self._known[key] = found or frozenset()
        return known

    def _held(self, identity: str, depth: int, path: frozenset[str], *, personal: bool) -> frozenset[str] | None:
        """None: every way in goes round in a circle, or concerns an object of the caller's own."""
        if depth == 0 or identity in self._targets:
            return frozenset()
        common: frozenset[str] | None = None
        home = split_id(identity)[0]
        callers = [one for one in self._program.calls.callers(identity) if not only_tests(home, one.file.path)]
        callers = callers or self._over_classes(identity)
        for site in callers:
            reach = self._reach(site, identity)
            if site.caller in path or (personal and reach in (Reach.FRESH, Reach.OTHER)):
                continue
            if personal and reach is Reach.SELF and site.function.name in (*CONSTRUCTION, "__enter__"):
                continue  # nobody else has the object yet
            inner = personal and reach is Reach.SELF
            above = self._held(site.caller, depth - 1, path | {site.caller}, personal=inner)
            here = frozenset() if self._runs_later(identity, site) else self._held_at(site) | (above or frozenset())
            common = here if common is None else self._both(common, here, identity, personal=personal)
            if not common:
                return frozenset()
        return common if callers else frozenset()

    def _over_classes(self, identity: str) -> list[Site]:
        """`for base in type(self).__mro__: base.update(self)`: who goes through the classes of its own object."""
        file, function = self._program.calls.function(identity)
        known = self._by_class.get(function.name)
        if known is None:
            sites = self._program.calls.calls_named(function.name) if function.owner else ()
            known = self._by_class[function.name] = [site for site in sites if hands_itself(site)]
        mro = self._program.names.classes.mro(function_id(file.path, function.owner)) if known else ()
        return [site for site in known if function_id(site.file.path, site.function.owner) in mro]

    def _both(self, one: frozenset[str], other: frozenset[str], identity: str, *, personal: bool) -> frozenset[str]:
        """What two callers hold; each class below may have its own `self._lock`, and an object is of one class only."""
        both = one & other
        if both or not personal:
            return both
        first, second = self._own_locks(one, identity), self._own_locks(other, identity)
        names = {*first.values()} & {*second.values()}
        return frozenset(lock for lock, name in (*first.items(), *second.items()) if name in names)

    def _own_locks(self, locks: frozenset[str], identity: str) -> dict[str, str]:
        """The names of those that belong to the classes which inherit the method, by lock."""
        file, function = self._program.calls.function(identity)
        cls = function_id(file.path, function.owner)
        parts = {lock: lock.split("|") for lock in locks if function.owner and lock.startswith("attribute|")}
        mro = self._program.names.classes.mro
        return {lock: part[2] for lock, part in parts.items() if len(part) == 3 and cls in mro(part[1])}

    def _held_at(self, site: Site) -> frozenset[str]:
        call = self.at(site)
        return self._guards.held(call.held) if call is not None else frozenset()

    def _runs_later(self, identity: str, site: Site) -> bool:
        """Whether the call only makes a generator, which is kept or handed on: whoever drives it may hold no lock."""
        _, function = self._program.calls.function(identity)
        manager = any("contextmanager" in name for name in function.decorators)
        kept = any(goal == "$return" or not goal.startswith("$") for goal in site.call.goes)
        return bool(function.kind & Kind.GENERATOR) and kept and not manager

    def _reach(self, site: Site, identity: str) -> Reach:
        """Whose object the call's receiver is."""
        if is_base_call(site) or hands_itself(site):
            return Reach.SELF
        for value in self._program.calls.targets(site.file, site.function, site.call.func):
            if value.name == identity:
                return value.reach if value.owner else Reach.SELF
        return Reach.OTHER

    def only_constructs(self, identity: str) -> bool:
        """Whether the method runs only while its own object is being made."""
        return self._constructs(identity, DEEPEST)

    def _constructs(self, identity: str, depth: int) -> bool:
        _, function = self._program.calls.function(identity)
        if not function.owner or depth == 0 or identity in self._targets:
            return False
        if self.validates(identity):
            return True
        callers = self._program.calls.callers(identity)
        return bool(callers) and all(
            (
                self._reach(site, identity) is Reach.SELF
                and (site.function.name in CONSTRUCTION or self._constructs(site.caller, depth - 1))
            )
            or self._creates(site, identity)
            for site in callers
        )

    def _creates(self, site: Site, identity: str) -> bool:
        """`self = cls()` in a class method that makes objects another way: `self._reset()` follows."""
        if "classmethod" not in site.function.decorators or self._reach(site, identity) is not Reach.FRESH:
            return False
        file, function = self._program.calls.function(identity)
        maker = function_id(site.file.path, site.function.owner)
        return function_id(file.path, function.owner) in self._program.names.classes.mro(maker)

    def validates(self, identity: str) -> bool:
        """Whether a library calls the method when it has just made the object, before anybody else has it."""
        file, function = self._program.calls.function(identity)
        names, scope = self._program.names, file.body.functions[""]
        said = [one.removesuffix("()") for one in function.decorators]
        found = (names.meaning(file, scope, one).values for one in said if one.rpartition(".")[2] in CHECKING)
        return any(value.name in VALIDATORS for values in found for value in values)
