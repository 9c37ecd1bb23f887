"""Coroutines of which several tasks run at a time in one event loop, and by which way they come to.

A coroutine object that is made in a loop and handed to whatever makes tasks; the handlers of a server or bot; and all
the coroutines that these wait for, or start in their turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from conclint.index.facts import CallFact, FunctionFact, Kind, Touch, Use
from conclint.knowledge.coroutines import HANDLERS, MAKER, SELDOM
from conclint.knowledge.kinds import Context, Knowledge
from conclint.model import Note
from conclint.program.calls import Calls, Site
from conclint.program.contexts import site_place
from conclint.program.files import File
from conclint.program.matching import Given, matched, per_item
from conclint.program.spawns import Spawns
from conclint.program.testfiles import among_tests
from conclint.program.values import Reach, Value, function_id

# So many ways to a coroutine tell enough.
MOST_RUNS = 3

# What a task does at intervals it rarely does twice at a time.
SLEEPS = (".sleep", "sleep")


class Task(NamedTuple):
    """A start of several tasks that run `target`: by `how`, where its coroutine is made.

    `shared`: they have the receiver in common, or the variables around a nested function.  `given`: the parameters that
    are the same object for all of them.
    """

    how: str
    site: Site
    target: str
    owner: str
    shared: bool
    given: frozenset[str] = frozenset()


class TaskRun(NamedTuple):
    """One way in which several tasks run a coroutine at a time: called at `site` by the run `via` (None: a target)."""

    task: Task
    owner: str
    shared: bool
    given: frozenset[str]
    site: Site | None = None
    via: TaskRun | None = None


class Tasks:
    """Answers for one program."""

    def __init__(self, calls: Calls, knowledge: Knowledge) -> None:
        self._calls = calls
        self._names = calls.names
        self._knowledge = knowledge

    def functions(self) -> Iterable[str]:
        """Every function that several tasks run at a time."""
        return self._runs.keys()

    def runs(self, identity: str) -> list[TaskRun]:
        """How several tasks come to run the function at a time."""
        return self._runs.get(identity, [])

    def worth_a_look(self) -> Iterator[tuple[File, FunctionFact]]:
        """The coroutines among them that change something which may be others', and wait."""
        for identity in sorted(self._runs):
            file, function = self._calls.function(identity)
            if function.kind & Kind.ASYNC and changes(function, reads=True):
                yield file, function

    # -- where several are started

    @cached_property
    def started(self) -> list[Task]:
        """Every start, but those that only tests show."""
        found = [*self._handlers(), *self._made()]
        return [task for task in found if not among_tests(task.site.file.path)]

    def _handlers(self) -> Iterator[Task]:
        """What frameworks and the event loop run for each request, event or connection."""
        known = {name: one for name, one in self._knowledge.spawners.items() if one.context is Context.LOOP}
        spawners = {**known, **HANDLERS}
        for root in Spawns(self._calls, replace(self._knowledge, spawners=spawners)).roots:
            file, function = self._calls.function(root.target)
            direct = bool(root.site.call.use & Use.LOOP) and not root.site.call.use & Use.AWAITED
            once = function.name in SELDOM
            if function.kind & Kind.ASYNC and not once and (spawners[root.how].many or direct):
                owner = root.owner or (function_id(file.path, function.owner) if function.owner else "")
                shared = root.shared or (not root.owner and bool(function.owner)) or _nested(file, function)
                yield Task(root.how, root.site, root.target, owner, shared)

    def _made(self) -> Iterator[Task]:
        """`create_task(self.f())` in a loop, `gather(*[f(x) for x in xs])`."""
        wrappers: dict[str, None] = {}
        for file in self._calls.files:
            renamed = {one.name for one in file.header.imports if MAKER.search(one.target.rpartition(".")[2])}
            for name in sorted(one for one in file.header.called if one in renamed or MAKER.search(one)):
                for function, call in self._calls.in_file(file, name):
                    yield from self._made_at(Site(file, function, call))
                    if not MAKER.search(function.name) and _hands_on(function, call):
                        wrappers[function_id(file.path, function.qualname)] = None
        for wrapper in wrappers:
            for site in self._calls.callers(wrapper):
                yield from self._made_at(site)

    def _made_at(self, outer: Site) -> Iterator[Task]:
        given = (*outer.call.args, *(path for _, path in outer.call.keywords))
        if "*" in given:
            yield from self._collected(outer)
        for path in dict.fromkeys(given):
            inner = self._coroutine_call(outer, path)
            if inner is not None and (given.count(path) > 1 or self._started_in_loop(outer)):
                yield from self._tasks(outer, inner)
            elif inner is None and self._holds_coroutines(outer.function, path):
                yield from self._collected(outer, path)

    def _coroutine_call(self, outer: Site, path: str) -> Site | None:
        """The call that makes the coroutine object which is an argument, written there or put in a variable before."""
        if path.isidentifier():
            bound = [source for target, source in outer.function.binds if target == path]
            path = bound[0] if len(bound) == 1 else path
        func = path.removesuffix("()")
        found = [one for one in outer.function.calls if one.func == func] if path.endswith("()") else []
        later = [one for one in found if one.line >= outer.call.line] or found
        return outer._replace(call=later[0]) if later else None

    @staticmethod
    def _holds_coroutines(function: FunctionFact, path: str) -> bool:
        return any(target == path + "[]" and source.endswith("()") for target, source in function.binds)

    def _collected(self, outer: Site, path: str = "") -> Iterator[Task]:
        """Coroutine objects that a loop or comprehension of the function makes and collects."""
        wanted = {path + "[]"} if path else None
        for call in outer.function.calls:
            if call.use & Use.AWAITED or not call.use & Use.LOOP:
                continue
            inline = call.line >= outer.call.line and call.goes in ((), ("$arg[]",))
            kept = any(
                goal.endswith("[]") and goal[0] != "$" and (wanted is None or goal in wanted) for goal in call.goes
            )
            if inline or (kept and not outer.call.use & Use.LOOP):
                yield from self._tasks(outer, outer._replace(call=call))
            if call.func == "map" and inline:
                yield from self._tasks(
                    outer, outer._replace(call=call._replace(func=call.args[0] if call.args else ""))
                )

    @staticmethod
    def _started_in_loop(outer: Site) -> bool:
        """Whether rounds of a loop start tasks that the loop does not wait for, so far as one can tell."""
        call, function = outer.call, outer.function
        if call.use & Use.AWAITED or not call.use & Use.LOOP:
            return False
        if any(one.use & Use.WHILE and one.func.endswith(SLEEPS) for one in function.calls):
            return False  # at intervals
        plain = [goal for goal in call.goes if goal[0] != "$" and not goal.endswith("[]")]
        if not plain:
            return "$return" not in call.goes
        later = [one for one in function.calls if one.line >= call.line and not one.use & Use.AWAITED]
        return any(_keeps(one, goal, function) for goal in plain for one in later)

    def _tasks(self, outer: Site, inner: Site) -> Iterator[Task]:
        how = next(iter(sorted(self._calls.library_names(outer))), outer.call.func)
        for value in self._calls.targets(inner.file, inner.function, inner.call.func):
            file, function = self._calls.function(value.name)
            if function.kind & Kind.ASYNC and not function.kind & Kind.GENERATOR:
                shared = self._in_common(inner, value) or _nested(file, function)
                given = frozenset(name for name, path in _arguments(inner.call, function, value) if _same(inner, path))
                yield Task(how, inner, value.name, value.owner, shared, given)

    def _in_common(self, inner: Site, value: Value) -> bool:
        """Whether the tasks have the receiver in common: it is not new in each round of the loop."""
        if not value.owner or _one_of_many(inner.call.func):
            return False
        if value.reach in (Reach.SELF, Reach.SHARED):
            return True
        return not per_item(inner.function, inner.call, inner.call.func.partition(".")[0])

    # -- what they run

    @cached_property
    def _runs(self) -> dict[str, list[TaskRun]]:
        found: dict[str, list[TaskRun]] = {}
        queue = deque((task.target, TaskRun(task, task.owner, task.shared, task.given)) for task in self.started)
        while queue:
            identity, run = queue.popleft()
            known = found.setdefault(identity, [])
            if len(known) >= MOST_RUNS or any(one.shared >= run.shared and one.given >= run.given for one in known):
                continue
            known.append(run)
            file, function = self._calls.function(identity)
            for call in function.calls:
                queue.extend(self._reached(run, Site(file, function, call)))
        return found

    def _reached(self, run: TaskRun, site: Site) -> Iterator[tuple[str, TaskRun]]:
        """The coroutines that a call waits for or starts; plain functions only where they start some."""
        for path in _called(site.call):
            for value in self._calls.targets(site.file, site.function, path):
                file, function = self._calls.function(value.name)
                if (
                    value.owner
                    and run.owner
                    and value.reach is Reach.SELF
                    and not self._related(run.owner, value.owner)
                ):
                    continue
                if function.kind & Kind.ASYNC or any(
                    MAKER.search(one.func.rpartition(".")[2]) for one in function.calls
                ):
                    shared = self._still_shared(run, site, value) or (run.shared and _nested(file, function))
                    given = _arguments(site.call, function, value)
                    own = site.function.params[0].name if site.function.owner and site.function.params else ""
                    heads = run.given | ({own} if run.shared and own else set())
                    passed = frozenset(name for name, path in given if path.partition(".")[0] in heads)
                    yield value.name, TaskRun(run.task, value.owner or run.owner, shared, passed, site, run)

    def _related(self, one: str, other: str) -> bool:
        mro = self._names.classes.mro
        return other in mro(one) or one in mro(other)

    @staticmethod
    def _still_shared(run: TaskRun, site: Site, value: Value) -> bool:
        if not value.owner or _one_of_many(site.call.func):
            return False
        if value.reach is Reach.SELF:
            return run.shared
        return value.reach is Reach.SHARED or site.call.func.partition(".")[0] in run.given


def trace(run: TaskRun) -> tuple[Note, ...]:
    """How several tasks come to run it, from their start to the call nearest to it."""
    notes = []
    one: TaskRun | None = run
    while one is not None and one.site is not None:
        notes.append(Note(site_place(one.site), f"called here by `{one.site.function.qualname or 'the module'}`"))
        one = one.via
    task = run.task
    return (Note(site_place(task.site), f"runs in several tasks: started here by `{task.how}`"), *reversed(notes))


def _one_of_many(func: str) -> bool:
    """`self.peers[0].send`, `self.peer(name).send`: each task may have another one."""
    owner = func.rpartition(".")[0]
    return ("[" in owner or "(" in owner) and owner != "super()"


def _nested(file: File, function: FunctionFact) -> bool:
    """Whether it is a function inside another one, whose variables all its runs see."""
    return not function.owner and function.enclosing in file.body.functions and bool(function.enclosing)


def _keeps(call: CallFact, task: str, function: FunctionFact) -> bool:
    """Whether it is put aside: `task.add_done_callback(…)`, `tasks.add(task)`; not `results.append(await task)`."""
    if call.func == f"{task}.add_done_callback":
        return True
    owner, _, name = call.func.rpartition(".")
    if task not in call.args:
        return False
    gathered = any(MAKER.search(one.func) and {"*", owner} & {*one.args} for one in function.calls)
    return name == "add" or (name == "append" and (gathered or "." in owner))


def _hands_on(function: FunctionFact, call: CallFact) -> bool:
    """Whether a parameter goes to the maker of tasks: `def track(coro): create_task(coro)`."""
    return any(param.name in call.args and not param.kind for param in function.params)


def _arguments(call: CallFact, function: FunctionFact, value: Value) -> Iterator[tuple[str, str]]:
    bound = bool(value.owner) and "staticmethod" not in function.decorators
    return matched(function, Given(call.args, call.keywords), bound=bound)


def _same(site: Site, path: str) -> bool:
    """Whether all rounds of the loop pass the same object."""
    return (
        bool(path)
        and path[0] not in "=$*"
        and "[" not in path
        and "(" not in path
        and not per_item(site.function, site.call, path.partition(".")[0])
    )


def _called(call: CallFact) -> Iterator[str]:
    yield call.func
    if call.use & Use.WITH:
        manager = call.func.removesuffix(".__enter__")
        manager += "()" if manager == call.func else ""
        yield manager + ".__aenter__"
        yield manager + ".__aexit__"


def changes(function: FunctionFact, *, reads: bool = False) -> bool:
    """Whether it changes what is not its own variable; `reads`: and reads it too."""
    outer = {*function.globals, *function.nonlocals}
    bits: dict[str, int] = {}
    for path, what, _ in function.touches:
        bits[path] = bits.get(path, 0) | what
    return any(
        what & (Touch.WRITE | Touch.ITEM) and (what & Touch.READ or not reads)
        for path, what in bits.items()
        if "." in path or path in outer or what & Touch.ITEM
    )
