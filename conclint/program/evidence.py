"""The second fold's material: the program, and what the close looks at its files observed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from conclint.knowledge.kinds import Context, Setting, Unshared
from conclint.program.cached import Cached, Caches
from conclint.program.carried import Carried, Lost
from conclint.program.connections import Connections
from conclint.program.contexts import Run
from conclint.program.deadlocks import Deadlocks, Embrace
from conclint.program.forked import Forked
from conclint.program.guarding import Breach, Guarding
from conclint.program.instancelocks import InstanceLocks, OwnLock
from conclint.program.interleaved import Interleaved, Interleavings
from conclint.program.linking import Program
from conclint.program.lockorder import Cycle, LockOrder
from conclint.program.modulelocks import ModuleLocks
from conclint.program.objectorder import ObjectOrder, Swapped
from conclint.program.observations import Change, Observations, Used
from conclint.program.ondemand import OnDemand, OnDemands
from conclint.program.outlives import Outlived, Outlives
from conclint.program.outputs import Mix, Outputs
from conclint.program.overrides import Override, Overrides
from conclint.program.precision import Precision
from conclint.program.processwide import THREADS, Doing, ProcessWide
from conclint.program.promised import Promised
from conclint.program.races import Race, Races
from conclint.program.rivals import Rivals
from conclint.program.sections import Sections
from conclint.program.selfjoins import SelfJoin, SelfJoins
from conclint.program.served import Kept, Served
from conclint.program.sharing import Shared, Sharing
from conclint.program.stalls import Stall, Stalls


class Evidence:
    """What a rule concludes from: everything about every file."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self.program = program
        self.observations = observations

    @cached_property
    def races(self) -> tuple[Race, ...]:
        """Accesses to shared state that can meet another one with no lock common to both."""
        shown = tuple(self._races.all())
        promised = tuple(Promised(self.program, self.observations, self._races).all(shown))
        firmer = {race.moment.access.place for race in promised if not race.weak}
        shown = tuple(race for race in shown if not race.weak or race.moment.access.place not in firmer)
        places = {race.moment.access.place for race in shown}
        promised = tuple(race for race in promised if race.moment.access.place not in places)
        breached = {(breach.access.function, breach.access.store) for breach in self.breaches if not breach.single}
        told = ((race.moment.access.function, race.store) in breached for race in promised)
        return (*shown, *(race for race, known in zip(promised, told, strict=True) if not (race.weak and known)))

    @cached_property
    def _races(self) -> Races:
        return Races(self.program, self.observations)

    @cached_property
    def overrides(self) -> tuple[Override, ...]:
        """Methods that leave out the lock which the method of their base holds."""
        return tuple(Overrides(self.program).all())

    @property
    def interleaved(self) -> Iterator[Interleaved]:
        """Coroutines that act after a wait on what they saw before, while other tasks do the same."""
        return Interleavings(self.program, self.observations, self._races).all()

    @property
    def kept_by_handlers(self) -> Iterator[Kept]:
        """Globals that the handlers of web applications change."""
        return Served(self.program).all()

    @property
    def cached(self) -> Iterator[Cached]:
        """What caches make for several threads at once."""
        return Caches(self.program, self._races).all()

    @cached_property
    def _sharing(self) -> Sharing:
        return Sharing(self.program, self.observations, self._races)

    @cached_property
    def connections(self) -> Connections:
        """Connections to SQLite."""
        return Connections(self.program, self._sharing)

    @cached_property
    def lost_variables(self) -> tuple[Lost, ...]:
        """Context variables that threads read and only their starters have set."""
        return tuple(Carried(self.program).lost())

    @cached_property
    def forked(self) -> Forked:
        """What forked processes have from their parent."""
        return Forked(self.program)

    @cached_property
    def precision(self) -> Precision:
        """Decimal contexts that workers do not have."""
        return Precision(self.program)

    def touched(self, *kinds: Unshared) -> tuple[tuple[Used, Run], ...]:
        """Objects of these kinds that a thread uses which did not make them."""
        return tuple(self._sharing.touches(*kinds))

    def shared(self, *kinds: Unshared) -> tuple[Shared, ...]:
        """Objects of these kinds, which one thread at a time may use, that several do use."""
        return tuple(self._sharing.of(*kinds))

    @property
    def outlived(self) -> Iterator[Outlived]:
        """Threads that run on when whoever owns them is closed."""
        program = self.program
        roots = program.spawns.roots
        return Outlives(program.calls, program.handles, program.stops, program.contexts, roots).all()

    @property
    def self_joins(self) -> Iterator[SelfJoin]:
        """Threads that a callback which they call may make join themselves."""
        return SelfJoins(self.program, self.program.spawns.roots).all()

    @property
    def on_demand(self) -> Iterator[OnDemand]:
        """Threads that are started when somebody first needs them."""
        program = self.program
        return OnDemands(program.calls, program.handles, program.spawns.roots).all()

    @property
    def module_locks(self) -> ModuleLocks:
        """What other files do to the locks of modules."""
        return ModuleLocks(self.program.calls, self.program.globals)

    @cached_property
    def sections(self) -> Sections:
        """What is done while locks are held."""
        return Sections(self.program, self.observations)

    @cached_property
    def deadlocks(self) -> Deadlocks:
        """Threads that wait for themselves, or for one that waits for them."""
        return Deadlocks(self.program, self.sections)

    @cached_property
    def cycles(self) -> tuple[Cycle, ...]:
        """Locks that are taken in several orders."""
        return tuple(LockOrder(self.program, self.observations, self.sections).cycles())

    @property
    def swapped(self) -> Iterator[Swapped]:
        """Objects of one class that are locked in both orders."""
        return ObjectOrder(self.program, self.observations).swapped()

    @cached_property
    def embraces(self) -> tuple[Embrace, ...]:
        """Workers that are waited for while a lock is held that they need."""
        return tuple(self.deadlocks.embraces())

    @cached_property
    def stalls(self) -> tuple[Stall, ...]:
        """Calls that keep a lock for as long as somebody else takes."""
        return tuple(Stalls(self.program, self.sections).all())

    @cached_property
    def _guarding(self) -> Guarding:
        return Guarding(self.program, self.observations)

    @cached_property
    def breaches(self) -> tuple[Breach, ...]:
        """Accesses that leave out the lock which others hold; overridden methods that do are named for themselves."""
        found = tuple(self._guarding.breaches())
        named = {one.method for one in self.overrides} if found else set()
        return tuple(one for one in found if one.declared is not None or one.access.function not in named)

    @cached_property
    def handed_out(self) -> tuple[Breach, ...]:
        """Guarded state that leaves its lock."""
        return tuple(self._guarding.handed_out())

    @cached_property
    def own_locks(self) -> tuple[OwnLock, ...]:
        """What all objects share, changed under a lock that each of them has for itself."""
        return tuple(InstanceLocks(self.program, self.observations).all())

    @cached_property
    def mixes(self) -> tuple[Mix, ...]:
        """Output that several workers write at once."""
        return tuple(Outputs(self.program, self.observations).mixing())

    @cached_property
    def _process_wide(self) -> ProcessWide:
        return ProcessWide(self.program, self.observations)

    def doings(self, *settings: Setting, among: frozenset[Context] = THREADS) -> tuple[Doing, ...]:
        """Changes of the settings that happen in threads, or in what else is asked for, each once."""
        return tuple(self._process_wide.doings(*settings, among=among))

    def asked(self, *settings: Setting) -> tuple[Change, ...]:
        """The first of these in each function, whoever runs it, that holds no lock."""
        return tuple(self._process_wide.asked(*settings))

    @cached_property
    def rivals(self) -> Rivals:
        """Who else takes from a queue."""
        return Rivals(self.program)
