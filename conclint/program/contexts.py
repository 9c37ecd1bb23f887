"""Who runs where: for each function the threads and processes that reach it, and by which path."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from conclint.index.facts import CallFact, Kind, Touch, Use
from conclint.knowledge.kinds import Context
from conclint.model import Note, Place, Span
from conclint.program.arguments import Arguments
from conclint.program.barred import Lines, barred
from conclint.program.calls import Calls, Site, is_base_call
from conclint.program.deep import is_own
from conclint.program.homes import Home, Homes
from conclint.program.spawns import Root
from conclint.program.testfiles import only_tests
from conclint.program.values import Reach, Value, function_id, split_id

# A function that so many roots reach is reached by "threads"; more of them add nothing.
MOST_RUNS = 4

# Callers of callers are asked so deep whether main can get here.
MAIN_DEPTH = 12

# So many calls away from a start a call under a condition is most likely one that sets something up when it is not yet.
FAR = 3

# What is called so runs once, in the end.
ENDING = re.compile(r"_*(?:finish|teardown|tear_down|shutdown|shut_down|atexit|at_exit|finalize)")

CONCURRENT = frozenset({Context.THREAD, Context.PROCESS})


class Run(NamedTuple):
    """One way in which a function comes to run: from `root`, called at `site` by the run `via` (None: the target).

    `owner` is the class of its receiver, as far as known, `home` where the receiver is.  `shared`: others can reach the
    receiver.  `many_each`: several runs can share one receiver.  `barred`: lines that it does not reach.
    """

    root: Root
    owner: str
    home: Home
    shared: bool
    many_each: bool
    site: Site | None
    via: Run | None
    barred: frozenset[Lines] = frozenset()

    def reaches(self, line: int) -> bool:
        """Whether the run comes to a line of its function, as far as its arguments tell."""
        return not any(first <= line <= last for first, last in self.barred)

    @property
    def context(self) -> Context:
        return self.root.context

    @property
    def many(self) -> bool:
        return self.root.many


class Contexts:
    """Runs of functions, spread from the roots over the calls that they make."""

    def __init__(
        self,
        calls: Calls,
        roots: Iterable[Root],
        only_main: frozenset[str] = frozenset(),
        only_started: frozenset[str] = frozenset(),
    ) -> None:
        self._calls = calls
        self._only_main = only_main
        self._only_started = only_started
        self._runs: dict[str, list[Run]] = {}
        self._main: dict[str, bool] = {}
        self._targets = {root.target for root in roots}
        self._arguments = Arguments(calls)
        self.homes = Homes(calls)
        self._spread(roots)
        calls.renew()

    def _spread(self, roots: Iterable[Root]) -> None:
        for root in roots:
            self._arguments.started(root)
        queue = deque((root.target, self._begun(root)) for root in roots)
        while queue:
            identity, run = queue.popleft()
            file, function = self._calls.function(identity)
            run = run._replace(barred=barred(function, run))
            if not self._admit(identity, run):
                continue
            for call in function.calls:
                for one in _called(call) if run.reaches(call.line) else ():
                    queue.extend(self._reached(run, Site(file, function, one)))
            for path, bits, line in function.touches:
                for value in self._calls.getters(file, function, path) if bits & Touch.READ else ():
                    here = CallFact(path, line, 1, (), (), 0, ())
                    queue.append((value.name, self._next(run, Site(file, function, here), value)))

    def _begun(self, root: Root) -> Run:
        return Run(root, root.owner, self.homes.root(root), root.shared, root.many_each, None, None)

    def _reached(self, run: Run, site: Site) -> Iterator[tuple[str, Run]]:
        """What a call of the run leads to: of the methods that may be meant, those that its receiver can have."""
        own = self._own_class(run, site)
        waits = bool(site.function.kind & Kind.ASYNC)
        for value in self._calls.targets(site.file, site.function, site.call.func):
            if not waits and self._calls.function(value.name)[1].kind & Kind.ASYNC:
                continue  # makes a coroutine, and runs nothing of it
            if value.name in self._only_started:
                continue  # in another thread
            if not own or not value.owner or self._related(own, value.owner):
                self._arguments.called(site, value)
                yield value.name, self._next(run, site, value)

    def _own_class(self, run: Run, site: Site) -> str:
        """The class of the object whose method calls another one of its methods: the run's, or of what was captured."""
        if run.owner or not is_own(site) or site.function.owner:
            return run.owner if is_own(site) else ""
        cls = self._calls.names.scopes.method_owner(site.file, site.function)
        return cls and function_id(site.file.path, cls)

    def _related(self, one: str, other: str) -> bool:
        mro = self._calls.names.classes.mro
        return other in mro(one) or one in mro(other)

    def _admit(self, identity: str, run: Run) -> bool:
        if identity in self._only_main and run.context is Context.THREAD:
            return False  # its author says so
        known = self._runs.setdefault(identity, [])
        for old in known:
            covers = old.shared >= run.shared and old.many_each >= run.many_each
            same = old.root.number == run.root.number and old.owner in ("", run.owner) and old.home == run.home
            if same and covers and old.barred <= run.barred:
                return False
        if len(known) >= MOST_RUNS:
            return False
        known.append(run)
        return True

    def _next(self, run: Run, site: Site, value: Value) -> Run:
        if not value.owner:
            return Run(run.root, "", run.home, run.shared, run.many_each, site, run)
        home = self.homes.along(run.home, site, site.call.func.rpartition(".")[0], value.owner)
        if value.reach is Reach.SELF and self.homes.is_shared(site):
            return Run(run.root, value.owner, home, True, run.root.many, site, run)
        if value.reach is Reach.SELF or is_base_call(site):
            owner = self._own_class(run, site) or value.owner
            return Run(run.root, owner, home, run.shared, run.many_each, site, run)
        if value.reach is Reach.SHARED:
            return Run(run.root, value.owner, home, True, run.root.many, site, run)
        return Run(run.root, value.owner, home, False, False, site, run)

    # -- questions

    def functions(self) -> Iterable[str]:
        """Every function that runs outside main."""
        return self._runs.keys()

    def runs(self, identity: str, line: int = 0) -> list[Run]:
        """How the function, or a line of it, comes to run outside main."""
        found = self._runs.get(identity, [])
        return [run for run in found if run.reaches(line)] if line else found

    def is_main(self, identity: str) -> bool:
        """Whether the main thread may run it: nobody calls it (so users may), or somebody does who runs in main."""
        known = self._main.get(identity)
        if known is None:
            known = self._main[identity] = self._find_main(identity)
        return known

    def _find_main(self, identity: str) -> bool:
        """Looks among its callers, then among theirs: each is asked once, however many ways lead to it."""
        seen, level = {identity}, [identity]
        for _ in range(MAIN_DEPTH + 1):
            above: list[str] = []
            for one in (each for each in level if each not in self._only_started):
                callers = [site.caller for site in self._calls.callers(one) if not _only_tries(site, one)]
                if self._main.get(one) or self._begins_main(one, called=bool(callers)):
                    return True
                if one not in self._main:
                    above += dict.fromkeys(caller for caller in callers if caller not in seen)
                    seen.update(callers)
            level = above
        if not level:
            self._main.update(dict.fromkeys(seen, False))  # all who lead here, and none of them is main
        return False

    def _begins_main(self, identity: str, *, called: bool) -> bool:
        _, function = self._calls.function(identity)
        if function.kind & Kind.MODULE:
            return True
        given = called or identity in self._targets or function.kind & Kind.LAMBDA
        return not given and not self._handed_over(identity)

    def _handed_over(self, identity: str) -> bool:
        """Whether a thread is known to call it, and nobody else can name it: a nested function, a private method."""
        file, function = self._calls.function(identity)
        inside = bool(function.enclosing) and function.enclosing in file.body.functions and not function.owner
        private = function.name.startswith("_") and not function.name.endswith("__")
        return (inside or private) and bool(self._runs.get(identity))


def at_end(run: Run | None) -> bool:
    """Whether the way there leads through what ends a program's work: `finish()`, `teardown()`."""
    while run is not None and run.site is not None:
        if ENDING.match(run.site.function.name):
            return True
        run = run.via
    return False


def steps(run: Run | None) -> int:
    """How many calls lead there from the thread's start."""
    count = 0
    while run is not None and run.via is not None:
        count, run = count + 1, run.via
    return count


def is_far(run: Run) -> bool:
    """Whether it lies many calls away from the start, some of which happen under a condition only."""
    calls, conditional, here = 0, False, run
    while here.site is not None and here.via is not None:
        calls, conditional, here = calls + 1, conditional or bool(here.site.call.use & Use.BRANCH), here.via
    return calls >= FAR and conditional


def _only_tries(site: Site, called: str) -> bool:
    """Whether it is a test that calls it: that says nothing of who does in earnest."""
    return only_tests(split_id(called)[0], site.file.path)


def _called(call: CallFact) -> Iterator[CallFact]:
    """The call itself; for a manager its `__enter__` and `__exit__` too."""
    yield call
    if call.use & Use.WITH:
        manager = call.func.removesuffix(".__enter__")
        if manager == call.func:
            manager += "()"
            yield call._replace(func=manager + ".__enter__")
        yield call._replace(func=manager + ".__exit__")


def site_place(site: Site) -> Place:
    """Where a call stands: from its first character, one wide, since the index keeps no ends."""
    return call_place(site.file.path, site.call)


def call_place(path: str, call: CallFact) -> Place:
    return Place(path, Span(call.line, call.column, call.line, call.column + 1))


def evidence(run: Run) -> tuple[Note, ...]:
    """How the code comes to run there, from its start to the call nearest to it."""
    notes = list(_calls_of(run))
    root = run.root
    what = "process" if root.context is Context.PROCESS else root.context.value
    start = Note(site_place(root.site), f"runs in a {what}: started here by `{root.how}`")
    return (start, *reversed(notes))


def _calls_of(run: Run) -> Iterator[Note]:
    while run.site is not None and run.via is not None:
        yield Note(site_place(run.site), f"called here by `{run.site.function.qualname or 'the module'}`")
        run = run.via
