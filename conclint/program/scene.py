"""The little that one file must know of the others before it is looked at closely: frozen, small, hashable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from conclint.knowledge import BUILTIN
from conclint.knowledge.kinds import Context, Knowledge
from conclint.knowledge.lives import STARTS
from conclint.model import Note, Place
from conclint.program.effects import Effect
from conclint.program.pickles import Held
from conclint.program.values import Reach, Store
from conclint.program.walks import Walk


class Named(NamedTuple):
    """What a path denotes: library names, ids of functions, the class and bases of the object, the store it names."""

    names: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    store: Store | None = None
    reach: Reach = Reach.OTHER
    of_class: bool = False  # the store is an attribute that only the class itself has
    through_class: bool = False  # ... and it is reached through the class here
    owner: Store | None = None  # for an attribute: the variable or attribute that holds the object, unless it is `self`


@dataclass(frozen=True)
class RunScene:
    """One way in which a function comes to run outside main; `trace` tells it from the start on."""

    context: Context
    many: bool
    how: str
    trace: tuple[Note, ...]
    starter: Store | None = None  # what holds the pool that runs it
    single: bool = False  # whether that pool has one worker only
    lasting: bool = False  # whether the interpreter waits for the thread in the end
    barred: tuple[tuple[int, int], ...] = ()  # the lines that its arguments keep it from
    far: bool = False  # many calls away from the start, some of them conditional


@dataclass(frozen=True)
class FunctionScene:
    """A function of the file: where it stands, and what runs it."""

    qualname: str
    line: int
    is_async: bool
    owner: str
    runs: tuple[RunScene, ...]
    main: bool

    def runs_in(self, *contexts: Context, line: int = 0) -> tuple[RunScene, ...]:
        """Its runs in one of the contexts, or those that reach a line of it."""
        return tuple(
            run
            for run in self.runs
            if run.context in contexts and not any(first <= line <= last for first, last in run.barred)
        )


@dataclass(frozen=True)
class TargetScene:
    """A function that this file starts somewhere: what it does, and (per effect) the calls that lead there."""

    identity: str
    effects: Effect
    traces: tuple[tuple[Effect, tuple[Note, ...]], ...]
    parameters: int
    serves: bool = False  # waits for work in a loop: a service, not a job
    meets: bool = False  # waits for another worker
    computes: bool = False  # keeps the interpreter busy from beginning to end
    results: bool = False  # ends, and adds what it found to a container that it was given or that is everybody's
    catches: bool = False  # lets no exception pass, as far as one can see
    endless: bool = False  # never returns
    nested: bool = False  # defined inside another function, itself or its class: no other process can find it
    bound: bool = False  # a method that is called with an object
    wraps: bool = False  # only runs a coroutine in an event loop of its own

    def trace(self, effect: Effect) -> tuple[Note, ...]:
        return next((notes for one, notes in self.traces if one is effect), ())


@dataclass(frozen=True)
class FateScene:
    """What becomes of the handle made at a line and column (`program.handles.Fate`, as plain data)."""

    line: int
    column: int
    func: str
    methods: tuple[str, ...]
    escapes: tuple[str, ...]
    stores: tuple[Store, ...]
    daemon: bool | None
    uses: tuple[tuple[str, str, int], ...]  # method, path, line
    targets: tuple[str, ...] = ()  # the functions that it runs
    given: tuple[str, ...] = ()  # … because callers of the helper in which it is made give them
    told: bool = False  # somebody tells what it runs to stop: sets the flag, or sends the word, that it waits for
    mortal: bool = True  # no global keeps it, and every object that does has a method to end with
    joins: tuple[Place, ...] = ()  # where it is waited for, without a time limit
    repeated: bool = False  # whether the call that makes it can happen several times
    protocol: bool = False  # whether its class offers others more to call than `run`
    deaf: bool = False  # whether its class has a `run` that never calls the target it may be given
    once: bool = False  # whether only the top of a module leads there, so that it happens once in the process
    start_method: str = ""  # of processes: "fork", "spawn", "forkserver", or see `startmethods`

    def does(self, *methods: str) -> bool:
        return any(method in methods for method in self.methods)

    @property
    def begun(self) -> bool:
        """Whether somebody starts it."""
        return self.does(*STARTS)


@dataclass(frozen=True)
class StartScene:
    """A call of the file that runs functions of the program somewhere else: what is called, and what it runs."""

    line: int
    column: int
    func: str
    how: str
    targets: tuple[str, ...]
    context: Context
    handed: bool  # to a helper of the program's own, which starts it
    options: tuple[str, ...] = ()  # the keywords with which the helper makes its pool


@dataclass(frozen=True)
class Early:
    """A thread that a constructor starts, and the attributes of the object that it reads."""

    line: int
    column: int
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Timing:
    """What depends on when things happen: see `program.timing`."""

    polled: tuple[Store, ...] = ()  # flags that a loop asks, and that another thread changes
    early: tuple[Early, ...] = ()
    imported: bool = False  # whether another file imports this one


@dataclass(frozen=True)
class Scene:
    """Everything beside its bytes that the inspection of one file depends on."""

    path: str
    regions: tuple[tuple[tuple[int, int], ...], ...]  # of each region its pieces: first and last lines
    scopes: tuple[tuple[str, int], ...]  # qualified name and line of every class and function in the regions
    functions: tuple[FunctionScene, ...]
    named: tuple[tuple[str, str, Named], ...]  # function, path, meaning
    targets: tuple[TargetScene, ...]
    fates: tuple[FateScene, ...]
    starts: tuple[StartScene, ...]
    states: tuple[Store, ...]  # what threads share, or are meant to
    guarded: tuple[Store, ...]  # those whose owner has a lock: plain reads count too
    unpicklable: tuple[Held, ...]  # what keeps objects of classes that the file uses from being sent to a process
    barren: tuple[str, ...]  # functions, called in arguments here, that surely give nothing that can be called
    timing: Timing
    free_threaded: bool
    target_version: tuple[int, int]
    extra: Knowledge | None = None  # only where a project adds to what is known
    rules: tuple[str, ...] = ()  # the codes of the rules whose triggers occur here
    joined: tuple[tuple[Store, bool], ...] = ()  # queues that somebody joins; False: items are never counted
    coroutines: tuple[str, ...] = ()  # functions, named here, of which a call only makes a coroutine
    unending: tuple[str, ...] = ()  # generators, named here, that never come to an end
    watched: bool = False  # whether its state, locks and output are to be observed
    prepared: tuple[str, ...] = ()  # functions that notify, whose callers have changed something
    walks: tuple[Walk, ...] = ()  # loops that may change what they run over
    waiting: tuple[str, ...] = ()  # the coroutines of which it matters what they do before and after they wait
    lockers: tuple[str, ...] = ()  # the functions of which it matters what they do while they hold locks
    copied: tuple[str, ...] = ()  # for fixes only: its classes whose objects are copied or pickled somewhere

    @property
    def knowledge(self) -> Knowledge:
        return self.extra or BUILTIN
