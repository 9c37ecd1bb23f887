"""The program as a whole: every part of it, made when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from enum import Enum
from functools import cached_property

from conclint.index.facts import Header
from conclint.knowledge import BUILTIN
from conclint.knowledge.kinds import Knowledge
from conclint.knowledge.pickling import INHERITED
from conclint.program.afterfork import Stale, in_children, stale_globals
from conclint.program.calls import Calls
from conclint.program.children import Children
from conclint.program.childstate import ChildState
from conclint.program.contexts import Contexts
from conclint.program.declared import Declared
from conclint.program.deeds import Deeds, Looks
from conclint.program.effects import Effects
from conclint.program.errors import Errors
from conclint.program.files import NONE, Files, Indexes
from conclint.program.globals import Globals
from conclint.program.handles import Handles
from conclint.program.locals import Locals
from conclint.program.locking import Locking
from conclint.program.meant import Meant
from conclint.program.names import Names
from conclint.program.owners import Owners
from conclint.program.pickles import SOMEWHERE, Held, Pickles
from conclint.program.promise import Promises
from conclint.program.queues import Queues
from conclint.program.regions import Regions
from conclint.program.results import Results
from conclint.program.scene import Scene
from conclint.program.scenes import Scenes
from conclint.program.service import Services
from conclint.program.spawns import Spawns
from conclint.program.startmethods import StartMethods
from conclint.program.state import State, User
from conclint.program.stops import Stops
from conclint.program.takenapart import TakenApart
from conclint.program.tasks import Tasks
from conclint.program.timing import Timings
from conclint.program.triggers import Triggers
from conclint.program.values import Store


@dataclass(frozen=True)
class Options:
    """What the settings of a run mean to the analysis; `roots` are the folders from which imports start."""

    knowledge: Knowledge = field(default=BUILTIN)
    free_threaded: bool = False
    target: tuple[int, int] = (3, 10)
    roots: tuple[str, ...] = ()


class Program:
    """All files, linked.  Its parts draw on each other in the order in which they stand here."""

    def __init__(self, indexes: Indexes, options: Options, headers: Mapping[str, Header] = NONE) -> None:
        self.options = options
        self.files = Files(indexes, headers)
        self.names = Names(self.files, options.knowledge)
        self.calls = Calls(self.names)
        self._looks = False  # whether somebody asks for state that is looked at twice

    @cached_property
    def spawns(self) -> Spawns:
        return Spawns(self.calls, self.options.knowledge)

    @cached_property
    def declared(self) -> Declared:
        """What authors say of threads in comments and annotations."""
        return Declared(self.names)

    @cached_property
    def contexts(self) -> Contexts:
        started = frozenset(self.spawns.wrapped)
        return Contexts(self.calls, self.spawns.roots, self.declared.main_thread, started)

    @cached_property
    def tasks(self) -> Tasks:
        """Coroutines of which several tasks run at a time."""
        return Tasks(self.calls, self.options.knowledge)

    @cached_property
    def meant(self) -> Meant:
        """Coroutines that are meant for several tasks, though none are seen."""
        return Meant(self.calls, self.options.knowledge)

    @cached_property
    def effects(self) -> Effects:
        return Effects(self.calls, self.options.knowledge)

    @cached_property
    def services(self) -> Services:
        return Services(self.calls, self.effects)

    @cached_property
    def results(self) -> Results:
        return Results(self.calls)

    @cached_property
    def queues(self) -> Queues:
        return Queues(self.calls, self.stops)

    @cached_property
    def locals(self) -> Locals:
        return Locals(self.calls, self.contexts, self.globals)

    @cached_property
    def globals(self) -> Globals:
        return Globals(self.calls)

    @cached_property
    def errors(self) -> Errors:
        return Errors(self.calls)

    @cached_property
    def handles(self) -> Handles:
        return Handles(self.calls)

    @cached_property
    def start_methods(self) -> StartMethods:
        return StartMethods(self.calls)

    @cached_property
    def pickles(self) -> Pickles:
        return Pickles(self.names)

    @cached_property
    def taken_apart(self) -> TakenApart:
        """Classes whose objects are copied or pickled."""
        return TakenApart(self.calls, self.spawns.roots)

    @cached_property
    def children(self) -> Children:
        return Children(self.calls, self.handles, self.start_methods)

    @cached_property
    def child_state(self) -> ChildState:
        return ChildState(self.calls, self.contexts)

    def stale_globals(self) -> Iterator[Stale]:
        """Threads of the parent's that handlers for forked children leave in globals."""
        return stale_globals(self.calls, self.pickles)

    def sent_processes(self) -> Iterator[tuple[Held, str]]:
        """What objects of subclasses of Process have in them that cannot be pickled, and where that shows."""
        for cls in self.names.classes.deriving(frozenset({"multiprocessing.Process"})):
            method = self.start_methods.of_class(cls)
            for held in self.pickles.held(cls) if method not in ("fork", "?") else ():
                if held.attribute and held.kind not in INHERITED:
                    yield held, "" if method else SOMEWHERE

    @cached_property
    def stops(self) -> Stops:
        return Stops(self.calls, self.spawns.roots)

    @cached_property
    def timings(self) -> Timings:
        return Timings(self.calls, self.contexts, self.spawns.roots)

    @cached_property
    def locking(self) -> Locking:
        return Locking(self)

    @cached_property
    def in_children(self) -> frozenset[str]:
        """The functions that forked children call at once."""
        return in_children(self.calls)

    @cached_property
    def shared(self) -> dict[Store, tuple[User, ...]]:
        """State that threads share and change, with the functions that touch it."""
        return self._state.shared()

    @cached_property
    def looked_at(self) -> dict[Store, tuple[User, ...]]:
        """The same and what they only look at, perhaps twice, while others change it; where somebody asks for that."""
        if not self._looks:
            return {}
        knowledge = self.options.knowledge
        return State(self.calls, self.contexts, knowledge, Looks(knowledge, self.deeds)).shared()

    def is_per_thread(self, store: Store) -> bool:
        """Whether it is an attribute of a `threading.local`."""
        return store.sort == "attribute" and "threading.local" in self.names.classes.mro(store.owner)

    @cached_property
    def _state(self) -> State:
        return State(self.calls, self.contexts, self.options.knowledge, self.deeds)

    @cached_property
    def deeds(self) -> Deeds:
        return Deeds(self.options.knowledge, free_threaded=self.options.free_threaded)

    @cached_property
    def owners(self) -> Owners:
        """Who owns a lock."""
        return Owners(self.calls, self.options.knowledge)

    @cached_property
    def promises(self) -> Promises:
        """State that its authors mean to be shared, whether or not the program starts threads."""
        said = self.declared.thread_safe
        return Promises(self.calls, self.owners, self.deeds, self._state, lambda: self.spawns.roots, said)

    @cached_property
    def guarded(self) -> dict[Store, tuple[User, ...]]:
        """State that a lock may guard, or is declared to, with the functions that touch it."""
        promised = self.promises.guarded
        elsewhere = [store for store in promised if store.sort == "attribute"]
        stores = dict.fromkeys((*elsewhere, *(guard.state for guard in self.declared.guards)))
        return _joined(promised, {store: tuple(self._state.users(store)) for store in stores})

    @cached_property
    def observed(self) -> dict[Store, tuple[User, ...]]:
        """All state that is worth a close look, with the functions that touch it."""
        promises = self.promises
        known = (self.shared, self.looked_at, self.guarded)
        return _joined(*known, promises.sworn, promises.served, promises.beside, promises.everybodys)

    @property
    def broken(self) -> dict[str, tuple[int, int, str]]:
        """The files that could not be parsed: line, column and what is wrong."""
        return {file.path: file.header.error for file in self.files if file.header.error is not None}

    def close(self) -> None:
        """Lets go of everything at once: the parts know each other in circles."""
        left: list[object] = [self]
        while left:
            inner = vars(left.pop())
            left += [one for one in inner.values() if _is_part(one)]
            inner.clear()

    def scenes(self, triggers: Mapping[str, Triggers]) -> dict[str, Scene]:
        """What each file that deserves a close look must know of the others; `triggers` are by rule code."""
        self._looks = any(one.looks for one in triggers.values())
        observed = self.observed if any(one.state or one.guarded for one in triggers.values()) else {}
        regions = Regions(self.calls, self.contexts, triggers, observed, self.spawns.roots)
        chosen = regions.chosen()
        if any(one.locks for one in triggers.values()):
            regions.add_lockers(self.locking.worth_a_look())
        if any(one.tasks for one in triggers.values()):
            found = (*self.tasks.worth_a_look(), *self.meant.worth_a_look())
            regions.add_tasks({(file.path, one.qualname): (file, one) for file, one in found}.values())
        return Scenes(self, regions).build(chosen)


def _is_part(one: object) -> bool:
    """Whether it is one of the parts that programs are made of, rather than what they know."""
    own = type(one).__module__.partition(".program.")[1]
    return bool(own) and hasattr(one, "__dict__") and not is_dataclass(one) and not isinstance(one, Enum)


def _joined(*tables: dict[Store, tuple[User, ...]]) -> dict[Store, tuple[User, ...]]:
    found: dict[Store, tuple[User, ...]] = {}
    for table in tables:
        for store, users in table.items():
            known = {(one.file.path, one.function.qualname): one for one in (*found.get(store, ()), *users)}
            found[store] = tuple(known.values())
    return found


def islands(indexes: Indexes, smallest: int) -> list[dict[str, Header]]:
    """The files in groups that can be linked apart, since nothing in one can mean anything in another: their headers.

    Those of fewer than `smallest` files are one group together, the last.
    """
    files = Files(indexes)
    rest: dict[str, Header] = {}
    found: list[dict[str, Header]] = []
    for island in files.packages.islands():
        headers = {path: files[path].header for path in island}
        if len(island) < smallest:
            rest |= headers
        else:
            found.append(headers)
    return [*found, rest] if rest else found


def link(indexes: Indexes, options: Options, headers: Mapping[str, Header] = NONE) -> Program:
    """Puts the encoded indexes of all files (by path) together; `headers` are those that are decoded already."""
    return Program(indexes, options, headers)
