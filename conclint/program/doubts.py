"""Why what the main thread seems to do may be done by another thread, or to another object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.index.facts import CallFact, FunctionFact, Use
from conclint.program.homes import ANY, SELF
from conclint.program.linking import Program
from conclint.program.names import PROPERTIES
from conclint.program.testfiles import only_tests
from conclint.program.values import Sort, split_id
from conclint.program.whose import personal

if TYPE_CHECKING:
    from conclint.program.races import Moment

# Who is given a callable by these calls it in the thread of the windows, which is main:
# doc.qt.io/qtforpython-6/tutorials/basictutorial/signals_and_slots.html, docs.python.org/3/library/tkinter.html,
# docs.gtk.org/gobject/method.Object.connect.html, docs.wxpython.org/events_overview.html
BY_WINDOWS = frozenset({"connect", "connect_after", "bind", "Bind", "tag_bind", "bind_all", "after", "after_idle"})
WINDOWS_KEYWORDS = frozenset({"command", "on_press", "on_release", "callback"})


# Callers of callers are asked so far.
DEEPEST = 3


class Doubts:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._calls = program.calls
        self._jobs: dict[str, frozenset[str]] = {}

    def about(self, one: Moment, other: Moment) -> bool:
        """Whether main, which does one of both, is only taken to be there."""
        main, worker = (one, other) if one.run is None else (other, one)
        if main.run is not None or worker.run is None:
            return False
        guessed = self._by_others(main.access.function, DEEPEST) or self._to_base(main, worker)
        return guessed or self._instead(main, worker)

    def _instead(self, main: Moment, worker: Moment) -> bool:
        """Whether main only gets there by doing itself what the object's one thread does all the time.

        `poll()` is for those who start no thread, most likely.
        """
        run = worker.run
        if run is None or run.many or not run.home or not run.home[0].startswith(f"{SELF}:"):
            return False
        job = self._job(run.root.target)
        return main.access.function in job and self._through(main.access.function, job, DEEPEST)

    def _job(self, target: str) -> frozenset[str]:
        """What a thread does in any case: its target, and what that calls under no condition."""
        known = self._jobs.get(target)
        if known is None:
            found, level = {target: None}, [target]
            for _ in range(DEEPEST):
                level = [one for each in level for one in self._calls_always(each) if one not in found]
                found.update(dict.fromkeys(level))
            known = self._jobs[target] = frozenset(found)
        return known

    def _calls_always(self, identity: str) -> Iterator[str]:
        file, function = self._calls.function(identity)
        for call in function.calls:
            if not call.use & Use.BRANCH:
                yield from (value.name for value in self._calls.targets(file, function, call.func))

    def _through(self, identity: str, job: frozenset[str], depth: int) -> bool:
        """Whether all of main's ways there lead through a public method that is among the thread's job."""
        _, function = self._calls.function(identity)
        if identity in job and function.owner and not function.name.startswith("_"):
            return True
        callers = {site.caller for site in self._calls.callers(identity)} - {identity}
        main = [one for one in callers if self._program.contexts.is_main(one)]
        return bool(depth and main) and all(self._through(one, job, depth - 1) for one in main)

    def _by_others(self, identity: str, depth: int) -> bool:
        """Whether no call of the program leads main here, but code that was handed a method, or decorates it."""
        if self._called_back(identity):
            return True
        callers = {site.caller for site in self._calls.callers(identity)} - {identity}
        if not callers:
            return self._decorated(identity)
        main = [one for one in callers if self._program.contexts.is_main(one)]
        return bool(depth and main) and all(self._by_others(one, depth - 1) for one in main)

    def _decorated(self, identity: str) -> bool:
        """Whether a decorator of the program's own has put the method into some table."""
        file, function = self._calls.function(identity)
        scope = file.body.functions[""]
        return bool(function.owner) and any(
            path.endswith("()") and self._calls.targets(file, scope, path.removesuffix("()"))
            for path in function.decorators
        )

    def _called_back(self, identity: str) -> bool:
        """Whether it is a method that its own file only gives away, and not to a window: any thread may call it."""
        home, _ = split_id(identity)
        file, function = self._calls.function(identity)
        if not function.owner or PROPERTIES & {*function.decorators}:
            return False
        if any(not only_tests(home, site.file.path) for site in self._calls.callers(identity)):
            return False
        givers = [file.body.functions[one] for one, _ in file.body.functions.touching(function.name)]
        givers = [one for one in givers if one.owner == function.owner and one.qualname != function.qualname]
        return bool(givers) and not any(_to_window(call) for one in givers for call in _given(one, function.name))

    def _to_base(self, main: Moment, worker: Moment) -> bool:
        """Whether main does it to an object of a base that is used alone, and the worker to one of a derived class."""
        if not personal(main.access) or len(main.homes) != 1 or not main.homes[0][0].startswith(f"{ANY}:"):
            return False
        homes, mro = self._program.contexts.homes, self._calls.names.classes.mro
        (cls,) = homes.classes(main.homes[0]) or ("",)
        derived = [one for home in worker.homes for one in homes.classes(home)]
        if not cls or not derived or any(one == cls or cls not in mro(one) for one in derived):
            return False
        return self._is_made(cls)

    def _is_made(self, cls: str) -> bool:
        path, qualname = split_id(cls)
        return any(
            value.sort is Sort.CLASS and value.name == cls
            for site in self._calls.calls_named(qualname.rpartition(".")[2], near=path)
            if not only_tests(path, site.file.path)
            for value in self._calls.meaning(site).values
        )


def _given(giver: FunctionFact, name: str) -> Iterator[CallFact]:
    """The calls that are given something of that name."""
    for call in giver.calls:
        if any(path.rpartition(".")[2] == name for path in (*call.args, *(path for _, path in call.keywords))):
            yield call


def _to_window(call: CallFact) -> bool:
    return call.func.rpartition(".")[2] in BY_WINDOWS or any(word in WINDOWS_KEYWORDS for word, _ in call.keywords)
