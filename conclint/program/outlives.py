"""Threads that run on when whoever owns them is closed: told to stop but not awaited, never told, or forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from conclint.index.facts import CallFact, FunctionFact, Kind, Touch, Use
from conclint.knowledge.handles import LAST_METHODS, PARTLY
from conclint.knowledge.kinds import Context
from conclint.knowledge.lives import JOINS, STARTS
from conclint.model import Place, Span
from conclint.program.calls import Calls, Site
from conclint.program.contexts import Contexts, site_place
from conclint.program.deeds import CONSTRUCTION
from conclint.program.files import File
from conclint.program.handles import Fate, Handles
from conclint.program.left import is_end
from conclint.program.spawns import Root
from conclint.program.stops import Stops
from conclint.program.testfiles import among_tests
from conclint.program.values import Sort, Store, function_id, split_id

THREAD = "threading.Thread"
LOCKS = frozenset({"threading.Lock", "threading.RLock"})
OTHERS = frozenset({"threading.Timer"})

# What waits for a moment and then does one thing.
TIMER = re.compile(r"timer", re.IGNORECASE)

# Methods with which somebody waits for a thread's end.
WAITS = frozenset({"join", "wait", "result", "wait_for"})

# Methods with which an object that has a thread begins.
BEGINS = frozenset({"start", "open", "run", "begin", "launch", "activate", "start_thread", "startup"})

# Names of the methods with which a thread class is told to stop, and how.
OWN_ENDS = frozenset({"stop", "close", "shutdown", "terminate", "quit", "finish"})
TELLS = frozenset({"set", "notify", "notify_all"})

# Methods of methods are asked so deep whether they wait.
DEEPEST = 3


class Outlived(NamedTuple):
    """A thread that runs on: where somebody ends its owner (or it), what is left, and where it is made."""

    place: Place
    what: str
    made: Place
    how: str  # "unawaited", "endless", "forgotten"; "own": only its own `stop` shows it; "told": only its owner's does
    weak: bool = False


class Outlives:
    """Finds them in one program."""

    def __init__(self, calls: Calls, handles: Handles, stops: Stops, contexts: Contexts, roots: Iterable[Root]) -> None:
        self._calls = calls
        self._classes = calls.names.classes
        self._handles = handles
        self._stops = stops
        self._contexts = contexts
        self._roots = [root for root in roots if root.how == THREAD]

    def all(self) -> Iterator[Outlived]:
        for site, target in dict.fromkeys(self._made()):
            fate = self._handles.fate(site)
            if not among_tests(site.file.path) and fate.does(*STARTS) and not fate.does(*JOINS):
                yield from self._unawaited(site, fate, target)
                yield from self._endless(site, fate, target)
                yield from self._told(site, fate, target)
        yield from self._forgotten()
        yield from self._own_stops()

    def _made(self) -> Iterator[tuple[Site, str]]:
        """Each call that makes a thread, and the function that the thread runs."""
        subclasses = self._classes.deriving(frozenset({THREAD}))
        for root in self._roots:
            if root.owner not in subclasses or root.target != self._calls.method(root.owner, "run"):
                yield root.site, root.target
        for cls in subclasses:
            run = self._calls.method(cls, "run")
            if run and not OTHERS & {*self._classes.mro(cls)}:
                yield from ((site, run) for site in self._sites(cls))

    # -- told to stop, and not awaited

    def _unawaited(self, site: Site, fate: Fate, run: str) -> Iterator[Outlived]:
        """`self._poller.stop()`, where `stop` only sets what the loop asks, and nobody joins."""
        if not self._loops(run) or TIMER.search(site.call.func) or not self._stops.told(site, (run,)):
            return
        for use in fate.uses:
            ends = is_end(use.method) and use.method != "cancel" and _is_call(use.site)
            if not ends or self._is_own(use.site, run):
                continue
            called = self._calls.targets(use.site.file, use.site.function, use.site.call.func)
            waits = not called or any(self._waits(value.name, DEEPEST) for value in called)
            if not waits and self._could_wait(use.site, run) and not self._locks(use.site):
                owner = use.site.call.func.rpartition(".")[0]
                what, weak = owner.replace("[*]", "[…]"), bool(fate.daemon)  # a daemon may go on for a while
                yield Outlived(site_place(use.site), what, site_place(site), "unawaited", weak)

    def _loops(self, run: str) -> bool:
        """Whether it goes round until it is told to stop."""
        _, function = self._calls.function(run)
        return any(target == "$while" and path for target, path in function.binds)

    def _is_own(self, site: Site, run: str) -> bool:
        """Whether the call stands in the thread's own class."""
        _, function = self._calls.function(run)
        cls = function_id(split_id(run)[0], function.owner)
        here = function_id(site.file.path, site.function.owner)
        mro = self._classes.mro
        return bool(site.function.owner and function.owner) and (cls in mro(here) or here in mro(cls))

    def _waits(self, identity: str, depth: int) -> bool:
        file, function = self._calls.function(identity)
        for call in function.calls:
            if call.func.rpartition(".")[2] in WAITS:
                return True
            if depth and any(
                self._waits(value.name, depth - 1) for value in self._calls.targets(file, function, call.func)
            ):
                return True
        return False

    def _could_wait(self, site: Site, run: str) -> bool:
        """Whether who stops it could wait: no coroutine, no event loop, not the thread itself, and nobody looks."""
        if site.function.kind & Kind.ASYNC or among_tests(site.file.path) or site.function.name == "__del__":
            return False
        runs = self._contexts.runs(site.caller)
        if any(one.context in (Context.LOOP, Context.SIGNAL) or one.root.target == run for one in runs):
            return False
        looks = {"is_alive", "isAlive", *WAITS}
        return not any(call.func.rpartition(".")[2] in looks for call in site.function.calls)

    def _locks(self, site: Site) -> bool:
        """Whether it may hold a lock that the thread wants too: waiting would be the end of both."""
        meaning = self._calls.names.meaning
        values = (one for path, _, _ in site.function.touches for one in meaning(site.file, site.function, path).values)
        return any(one.sort is Sort.INSTANCE and one.name in LOCKS for one in values)

    def _own_stops(self) -> Iterator[Outlived]:
        """A thread class's `stop` that sets what its `run` asks, where nobody in the program joins such a thread."""
        for cls in self._classes.deriving(frozenset({THREAD})):
            file, fact = self._calls.names.scopes.class_(cls)
            run = self._calls.method(cls, "run")
            if file is None or fact is None or not run or TIMER.search(cls) or among_tests(file.path):
                continue
            if not self._unawaited_everywhere(cls, run):
                continue
            _, asking = self._calls.function(run)
            for method, qualname in fact.methods:
                stop, function = function_id(file.path, qualname), file.body.functions[qualname]
                if method in OWN_ENDS and self._tells(stop, run) and not self._waits(stop, DEEPEST):
                    here = self._telling(file, function, asking)
                    yield Outlived(here, method, Place(file.path, Span(fact.line, 1, fact.line, 2)), "own", weak=True)

    def _unawaited_everywhere(self, cls: str, run: str) -> bool:
        """Whether nobody is seen to wait for such a thread, and whoever stops it could, if it were not for a lock."""
        made = (site for one in self._classes.family(cls) for site in self._sites(one))
        fates = [self._handles.fate(site) for site in made if not among_tests(site.file.path)]
        ends = [use.site for fate in fates for use in fate.uses if is_end(use.method) and _is_call(use.site)]
        if any(fate.does(*JOINS) for fate in fates):
            return False
        return all(self._locks(site) and self._could_wait(site, run) for site in ends)

    def _telling(self, file: File, stop: FunctionFact, run: FunctionFact) -> Place:
        """The line in which it tells the thread."""
        told = self._changed(stop) & _asked(run)
        line = min((line for path, _, line in stop.touches if path in told), default=stop.line)
        return Place(file.path, Span(line, 1, line, 2))

    def _sites(self, cls: str) -> Iterator[Site]:
        """Where objects of the class are made."""
        for site in self._calls.calls_named(cls.rpartition(":")[2].rpartition(".")[2]):
            if any(value.sort is Sort.CLASS and value.name == cls for value in self._calls.meaning(site).values):
                yield site

    def _tells(self, stop: str, run: str) -> bool:
        """Whether `stop` changes an attribute that `run` looks at in its loop."""
        _, ending = self._calls.function(stop)
        _, function = self._calls.function(run)
        if not any(target == "$while" for target, _ in function.binds):
            return False
        return bool(self._changed(ending) & _asked(function))

    # -- its owner tells it

    def _told(self, site: Site, fate: Fate, run: str) -> Iterator[Outlived]:
        """An owner's `stop` that sets what its thread asks and returns."""
        file, function = self._calls.function(run)
        owner = site.function.owner
        kept = any(store.sort == "attribute" for store in fate.stores) and not fate.escapes - {"public"}
        subclass = self._calls.names.classes.deriving(frozenset({THREAD})) if kept else []
        if not kept or not owner or function.owner != owner or function_id(file.path, owner) in subclass:
            return
        if not self._loops(run) or TIMER.search(site.call.func) or not fate.does(*STARTS):
            return
        for stop in self._ends(file, owner, run):
            told = self._changed(stop) & _asked(function)
            strong = bool(told & _begun_anew(site.function)) or bool(_given_up(stop) & _used(function))
            made = site_place(site)
            yield Outlived(self._telling(file, stop, function), stop.name, made, "told", weak=not strong)
            return

    def _ends(self, file: File, owner: str, run: str) -> Iterator[FunctionFact]:
        """The methods that tell the thread to stop, where none of them waits and all could."""
        fact = file.class_(owner)
        ends = [file.body.functions[name] for method, name in fact.methods if is_end(method)] if fact else []
        identities = [function_id(file.path, end.qualname) for end in ends]
        if any(self._waits(identity, DEEPEST) for identity in identities):
            return
        for end, identity in zip(ends, identities, strict=True):
            here = Site(file, end, CallFact(end.qualname, end.line, 1, (), (), 0, ()))
            if self._tells(identity, run) and self._could_wait(here, run) and not self._locks(here):
                yield end

    @staticmethod
    def _changed(function: FunctionFact) -> set[str]:
        """The flags and events of its object that a method sets."""
        found = {path for path, bits, _ in function.touches if bits & Touch.WRITE and path.startswith("self.")}
        parts = (call.func.rpartition(".") for call in function.calls)
        return found | {owner for owner, _, method in parts if method in TELLS and owner.startswith("self.")}

    # -- never told

    def _endless(self, site: Site, fate: Fate, run: str) -> Iterator[Outlived]:
        """`while True:` with a sleep in it, in an object that is closed one day."""
        file, function = self._calls.function(run)
        if not function.kind & Kind.ENDLESS or function.kind & (Kind.ASYNC | Kind.GENERATOR):
            return
        inside = (Site(file, function, call) for call in function.calls if call.use & Use.WHILE)
        if not any("time.sleep" in self._calls.library_names(one) for one in inside):
            return
        if any(is_end(use.method) for use in fate.uses) or not (fate.daemon or fate.escapes):
            return
        owners = (store.owner for store in fate.stores if store.sort == "attribute")
        end = next((end for owner in owners if (end := self._end_of(owner, run))), "")
        if end:
            span = Span(function.line, 1, function.line, 2)
            yield Outlived(Place(file.path, span), end.rpartition(".")[2], site_place(site), "endless")

    def _end_of(self, cls: str, run: str) -> str:
        """The method with which an object of the class ends."""
        file, fact = self._calls.names.scopes.class_(cls)
        for method, qualname in fact.methods if file is not None and fact is not None else ():
            ends = is_end(method) and not PARTLY & {*method.lower().split("_")}
            if file is not None and ends and not method.startswith("_"):
                identity = function_id(file.path, qualname)
                if identity != run:
                    return identity
        return ""

    # -- forgotten by its owner's end

    def _forgotten(self) -> Iterator[Outlived]:
        """`close()` ends what the object keeps, but not the one thing that has a thread."""
        for cls in dict.fromkeys(self._with_threads()):
            for site in self._sites(cls):
                if site.function.owner and not among_tests(site.file.path):
                    yield from self._never_ended(site, cls)

    def _with_threads(self) -> Iterator[str]:
        """Classes of the program that start a thread of their own, and have a method to end it."""
        subclasses = {*self._classes.deriving(frozenset({THREAD}))}
        for root in self._roots:
            owner = root.site.function.owner
            cls = function_id(root.site.file.path, owner) if owner else ""
            own = root.owner == cls and cls not in subclasses and root.site.function.name in (*BEGINS, "__init__")
            if cls and own and any(self._calls.method(cls, name) for name in LAST_METHODS):
                yield cls

    def _never_ended(self, site: Site, cls: str) -> Iterator[Outlived]:
        fate = self._handles.fate(site)
        stores = [store for store in fate.stores if store.sort == "attribute" and "[" not in store.path]
        if len(stores) != 1 or fate.escapes - {"public"} or not (fate.does(*BEGINS) or self._begins_at_once(cls)):
            return
        called = [use for use in fate.uses if use.site.call in use.site.function.calls]
        by_callback = [use for use in fate.uses if use not in called and not _weak(use.site)]
        if any(is_end(use.method) for use in (*called, *by_callback)):
            return
        for closing in self._closings(stores[0]):
            yield Outlived(site_place(closing), stores[0].path, site_place(site), "forgotten")
            return

    def _begins_at_once(self, cls: str) -> bool:
        made = self._calls.method(cls, "__init__")
        return bool(made) and any(root.site.caller == made for root in self._roots)

    def _closings(self, store: Store) -> Iterator[Site]:
        """The last call with which the owner's own end ends something else that it keeps."""
        file, fact = self._calls.names.scopes.class_(store.owner)
        for method, qualname in fact.methods if file is not None and fact is not None else ():
            if file is None or method not in LAST_METHODS:
                continue
            function = file.body.functions[qualname]
            if _mentions(function, store.path):
                return
            ended = [call for call in function.calls if _ends_something(call, store.path)]
            if ended:
                yield Site(file, function, ended[-1])


def _asked(function: FunctionFact) -> set[str]:
    """What a thread looks at in its loop."""
    return {path for path, _, _ in function.touches} | {call.func.rpartition(".")[0] for call in function.calls}


def _used(function: FunctionFact) -> set[str]:
    """The attributes of its object whose methods a thread calls."""
    return {".".join(call.func.split(".")[:2]) for call in function.calls if call.func.count(".") > 1}


def _begun_anew(function: FunctionFact) -> set[str]:
    """The events that the function which starts the thread clears first: one that still runs goes on for good."""
    parts = (call.func.rpartition(".") for call in function.calls)
    return {owner for owner, _, method in parts if method == "clear" and function.name not in CONSTRUCTION}


def _given_up(function: FunctionFact) -> set[str]:
    """The attributes that a method closes, or throws away."""
    parts = (call.func.rpartition(".") for call in function.calls)
    closed = {owner for owner, _, method in parts if method in LAST_METHODS and owner.startswith("self.")}
    return closed | {target for target, path in function.binds if path == "=None" and target.startswith("self.")}


def _mentions(function: FunctionFact, attribute: str) -> bool:
    spelled = [path for path, _, _ in function.touches] + [call.func for call in function.calls]
    return any(f".{attribute}." in path + "." for path in spelled)


def _ends_something(call: CallFact, attribute: str) -> bool:
    """`self.other.close()`."""
    owner, _, method = call.func.rpartition(".")
    own = owner.startswith("self.") and owner.count(".") == 1
    return own and method in LAST_METHODS and not owner.endswith(attribute)


def _is_call(site: Site) -> bool:
    """Whether the method is called there, and not only taken to be called later."""
    return site.call in site.function.calls


def _weak(site: Site) -> bool:
    """`weakref.ref(self, thing.close)`: called when the owner is collected, not when it is closed."""
    return any(call.line == site.call.line and call.func.startswith("weakref.") for call in site.function.calls)
