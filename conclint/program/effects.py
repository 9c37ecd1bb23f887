"""What running a function does to the world: waits, reads and writes, or keeps the interpreter busy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntFlag
from typing import NamedTuple

from conclint.index.facts import FunctionFact, Kind, Touch, Use
from conclint.knowledge.effects import CLIENTS, TALK
from conclint.knowledge.gil import PARSES, PLAIN_METHODS
from conclint.knowledge.kinds import Knowledge
from conclint.knowledge.names import below
from conclint.program.calls import Calls, Site
from conclint.program.files import File
from conclint.program.values import Sort, function_id


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
    TALKS = 128  # logs or prints, outside of loops
    RESULTS = 256  # puts what it found into a container that outlives it
    ITEMS = 512  # takes work from a queue that counts what is done
    APART = 1024  # is better off in a process of its own: parses, sets what all threads have, uses what only one may
    ASKS = 2048  # asks a server by a library that has an asynchronous twin


EACH = tuple((int(one), one) for one in Effect if one)

LETS_RUN = Effect.IO | Effect.BLOCKS | Effect.RELEASES | Effect.UNKNOWN

# The calls that are shown on the way to an effect.
LONGEST_PATH = 8


class Reason(NamedTuple):
    """Which call gives the function an effect; `name` is the callee in which it continues, if it is the program's."""

    site: Site
    name: str


class _Step(NamedTuple):
    """A call of a function of the program."""

    site: Site
    callee: str


# How much arithmetic in a loop makes it work rather than bookkeeping; nested loops need less.
SOME_WORK = 2

# What is called so gives its items when there are any: a loop over it mostly waits.
GIVING = re.compile(r"stream|sock|subscri|connection|feed|queue|tail|follow|watch|std(?:out|err|in)$", re.IGNORECASE)

# Files that are none.
IN_MEMORY = ("io.BytesIO.", "io.StringIO.")

# What is written and then renamed is there as a whole or not at all, and what is temporary nobody misses.
RENAMING = frozenset(
    {
        *below("os", "rename replace"),
        *below("pathlib.Path", "rename replace"),
        *below("tempfile", "TemporaryDirectory TemporaryFile NamedTemporaryFile SpooledTemporaryFile"),
    }
)

CHANGING = frozenset({"append", "appendleft", "add", "extend", "insert", "update", "setdefault"})


class Effects:
    """Effects of functions, closed over the calls they make; computed only for functions that somebody asks about."""

    def __init__(self, calls: Calls, knowledge: Knowledge) -> None:
        self._calls = calls
        self._names = calls.names
        self._knowledge = knowledge
        self._known: dict[str, Effect] = {}
        self._whole: set[str] = set()  # functions that write aside, and then rename
        self._reasons: dict[tuple[str, Effect], Reason] = {}

    def of(self, identity: str) -> Effect:
        """All effects of running the function."""
        if identity not in self._known:
            self._close_over(identity)
        return self._known[identity]

    def reason(self, identity: str, effect: Effect) -> tuple[Site, ...]:
        """The calls that lead to the effect, outermost first; empty when it is the function's own."""
        return tuple(reason.site for reason in self._path(identity, effect))

    def origin(self, identity: str, effect: Effect) -> str:
        """The function whose own the effect is; "" where it is a library's."""
        path = tuple(self._path(identity, effect))
        return path[-1].name if path else identity

    def computes(self, identity: str) -> bool:
        """Whether running the function keeps the interpreter busy, and nothing in it lets others run."""
        _, function = self._calls.function(identity)
        if function.kind & (Kind.ASYNC | Kind.GENERATOR):
            return False  # calling it only makes a coroutine or a generator
        effects = self.of(identity)
        return bool(effects & Effect.BUSY) and not effects & LETS_RUN

    def _path(self, identity: str, effect: Effect) -> Iterator[Reason]:
        for _ in range(LONGEST_PATH):
            reason = self._reasons.get((identity, effect))
            if reason is None:
                return
            yield reason
            identity = reason.name

    # -- closing over calls

    def _close_over(self, identity: str) -> None:
        """Computes everything that the function can reach and is not known yet, until nothing changes."""
        found: dict[str, Effect] = {}
        steps: dict[str, tuple[_Step, ...]] = {}
        waiting = [identity]
        while waiting:
            one = waiting.pop()
            if one not in found and one not in self._known:
                file, function = self._calls.function(one)
                steps[one] = tuple(self._steps(file, function))
                found[one] = self._own(one, file, function)
                waiting += [step.callee for step in steps[one]]
        order = list(reversed(found))
        changed = True
        while changed:
            changed = False
            for one in order:
                changed = self._spread(one, steps[one], found) or changed
        self._known |= found

    def _spread(self, identity: str, steps: tuple[_Step, ...], found: dict[str, Effect]) -> bool:
        """Adds the callees' effects to the caller's; whether that made a difference."""
        before = found[identity]
        for step in steps:
            inner = self._known.get(step.callee, found.get(step.callee, Effect.NONE))
            if inner & Effect.TALKS and _in_long_loop(step.site):
                inner = inner & ~Effect.TALKS | Effect.IO
            if identity in self._whole:
                inner &= ~Effect.DURABLE
            new = inner & ~found[identity]
            if new:
                found[identity] |= new
                self._remember(identity, new, Reason(step.site, step.callee))
        return found[identity] != before

    def _steps(self, file: File, function: FunctionFact) -> Iterator[_Step]:
        for call in function.calls:
            site = Site(file, function, call)
            targets = self._calls.targets(file, function, call.func)
            yield from (_Step(site, value.name) for value in targets)
            if not targets:
                yield from (_Step(site, name) for name in self._handed_in(site))

    def _handed_in(self, site: Site) -> Iterator[str]:
        """Functions of the program that a library function calls at once: `min(words, key=distance)`."""
        if any(self._knowledge.matches(self._knowledge.holds_gil, name) for name in self._calls.library_names(site)):
            for path in (*site.call.args, *(path for _, path in site.call.keywords)):
                for value in self._names.meaning(site.file, site.function, path).values if path else ():
                    if value.sort is Sort.FUNCTION:
                        yield value.name

    # -- one function

    def _own(self, identity: str, file: File, function: FunctionFact) -> Effect:
        found = Effect.LOOPS if function.depth else Effect.NONE
        whole = False
        if self._busy(identity, function):
            found |= Effect.BUSY
        if self._releasing_types(file, function):
            found |= Effect.RELEASES
        if self._shares_results(file, function):
            found |= Effect.RESULTS
        if self._walks_over_streams(file, function):
            found |= Effect.IO
        if self._sets_for_all(file, function):
            found |= Effect.APART
        for call in function.calls:
            site = Site(file, function, call)
            if not self._calls.targets(file, function, call.func):
                effects = self.of_library(site) | self._company(site)
                self._remember(identity, effects, Reason(site, ""))
                found |= effects
                whole = whole or bool(RENAMING & self._calls.library_names(site))
        if whole:
            self._whole.add(identity)
        return found & ~Effect.DURABLE if whole else found

    def _busy(self, identity: str, function: FunctionFact) -> bool:
        """Loops with arithmetic in them, or a function that calls itself more than once."""
        if function.depth and function.work * function.depth >= SOME_WORK:
            return True
        itself = [call for call in function.calls if call.func.rpartition(".")[2] == function.name]
        if len(itself) < 2 or function.depth:
            return False
        file, _ = self._calls.function(identity)
        called = [self._calls.targets(file, function, call.func) for call in itself]
        return all(any(one.name == identity for one in values) for values in called)

    def _releasing_types(self, file: File, function: FunctionFact) -> bool:
        """Whether it is given, by its annotations, objects of a library that computes with the GIL released."""
        annotated = {target for target, path in function.binds if path.startswith(":")}
        return any(
            value.sort is Sort.INSTANCE and self._knowledge.matches(self._knowledge.releases_gil, value.name)
            for target in annotated
            for value in self._names.meaning(file, function, target).values
        )

    def _walks_over_streams(self, file: File, function: FunctionFact) -> bool:
        """`for line in process.stdout`, `for item in iter(tasks.get, None)`: each round may wait."""
        walked = (path.removesuffix("[*]") for _, path in function.binds if path.endswith("[*]"))
        return any(GIVING.search(path) or self._is_stream(file, function, path) for path in walked)

    def _is_stream(self, file: File, function: FunctionFact, path: str) -> bool:
        knows = self._knowledge
        for value in self._names.meaning(file, function, path).values:
            name = value.name if value.sort is Sort.LIBRARY else f"{value.name}.__next__"
            if ":" not in name and (knows.matches(knows.io, name) or knows.matches(knows.blocking, name)):
                return not name.startswith(IN_MEMORY)
        return False

    def _company(self, site: Site) -> Effect:
        """What a library call means for those beside it: it may want a process of its own, or no thread at all."""
        names, knows = self._calls.library_names(site), self._knowledge
        found = Effect.ASKS if any(knows.matches(CLIENTS, name) for name in names) else Effect.NONE
        if any(knows.matches(PARSES, name) or name in knows.process_wide for name in names):
            return found | Effect.APART
        if any(name.rpartition(".")[0] in knows.thread_unsafe for name in names):
            store = self._names.meaning(site.file, site.function, site.call.func.rpartition(".")[0]).store
            found |= Effect.APART if store is not None and store.sort != "local" else Effect.NONE
        return found

    def _sets_for_all(self, file: File, function: FunctionFact) -> bool:
        """`os.environ[name] = value`."""
        written = {path.removesuffix("[]") for path, bits, _ in function.touches if bits & (Touch.WRITE | Touch.ITEM)}
        values = (one for path in written for one in self._names.meaning(file, function, path).values)
        return any(one.sort is Sort.LIBRARY and one.name in self._knowledge.process_wide for one in values)

    def _shares_results(self, file: File, function: FunctionFact) -> bool:
        """Whether it adds to a container that it did not make: a global, a captured variable, an argument."""
        own = function_id(file.path, function.qualname)
        given = {param.name for param in function.params[1 if function.owner else 0 :]}
        paths = {call.func.rpartition(".")[0] for call in function.calls if call.func.rpartition(".")[2] in CHANGING}
        paths |= {path for path, bits, _ in function.touches if bits & Touch.ITEM}
        for path in paths:
            if path.isidentifier():
                store = self._names.meaning(file, function, path).store
                if store is not None and (store.owner != own or path in given):
                    return True
        return False

    def of_library(self, site: Site) -> Effect:
        names = self._calls.library_names(site)
        knows = self._knowledge
        tables = (
            (Effect.IO, knows.io),
            (Effect.BLOCKS, knows.blocking),
            (Effect.RELEASES, knows.releases_gil),
            (Effect.DURABLE, knows.durable),
        )
        found = Effect.NONE
        if any(name.startswith(IN_MEMORY) for name in names):
            return found
        if ".stdin." in site.call.func:
            return Effect.IO  # of another program
        for effect, table in tables:
            if any(knows.matches(table, name) for name in names):
                found |= effect
        if any(name.endswith("Queue.task_done") for name in names):
            found |= Effect.ITEMS
        if any(knows.matches(TALK, name) for name in names):
            return found | Effect.IO if _in_long_loop(site) else found & ~Effect.IO | Effect.TALKS
        return found or (Effect.NONE if self._harmless(site, names) else Effect.UNKNOWN)

    def _harmless(self, site: Site, names: frozenset[str]) -> bool:
        """What computes in the interpreter and comes back soon, as far as its name tells."""
        if any(self._knowledge.matches(self._knowledge.holds_gil, name) or _plain_class(name) for name in names):
            return True
        owner, _, method = site.call.func.rpartition(".")
        if any(name.rpartition(".")[0] in self._knowledge.locks for name in names):
            return True
        if any(value.sort is Sort.CLASS for value in self._calls.meaning(site).values):
            return True
        if owner.startswith("$const"):
            return True
        unseen = bool(owner) and not names
        return unseen and (method in PLAIN_METHODS or (method == "get" and len(site.call.args) == 2))

    def _remember(self, identity: str, effects: Effect, reason: Reason) -> None:
        bits = int(effects)  # whose `&` costs a tenth of an IntFlag's
        for bit, effect in EACH if bits else ():
            if bits & bit:
                self._reasons.setdefault((identity, effect), reason)


def _in_long_loop(site: Site) -> bool:
    return bool(site.call.use & Use.LOOP) and not site.call.use & Use.SHORT


def _plain_class(name: str) -> bool:
    """An exception and the like."""
    return name.startswith("builtins.") and name[len("builtins.") :][:1].isupper()
