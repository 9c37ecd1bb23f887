"""A thread that sets its own flag when it begins forgets the `stop()` that came before.

`start()` comes back before the thread has done anything. Where `run` begins with `self.running = True`, whoever calls
`stop()` at once sets False first and the thread True after that: it runs on, and the `join()` in `stop()` never ends.
It happens in tests, in programs that fail early, and on busy machines.

Set the flag in the constructor or before `start()`, where nobody else can be; an event is clear from the beginning.

Reported: threads whose function sets a flag, or clears or sets an event, before its loop, while a method that waits for
the thread turns it the other way. Not reported: starters that wait until the thread runs. Where the waiting has a time
limit, the stopping method looks at the flag first, or another function asks it, it is shown to those who select CON225.

See https://docs.python.org/3/library/threading.html#threading.Thread.start
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.model import Finding, Note
from conclint.program.triggers import starts
from conclint.program.values import function_id
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.testcode import in_test
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.program.scene import FateScene
    from conclint.source.source import Source

JOIN = "threading.Thread.join"
EVENT = "threading.Event"
OPPOSITE = {"True": "False", "False": "True", "set": "clear", "clear": "set"}

# With these a starter waits until the thread has begun.
WAITS = frozenset({"wait", "get", "acquire", "join", "result", "recv", "sleep", "wait_for"})


class Order(NamedTuple):
    """A statement that sets a flag or event, `state`, to `value`."""

    node: cst.BaseSmallStatement
    state: str
    value: str


def check(source: Source) -> Iterator[Finding]:
    told: set[int] = set()
    functions = {function_id(source.path, source.qualname_of(one)): one for one in source.all(cst.FunctionDef)}
    for fate in source.scene.fates:
        for run in (functions[one] for one in fate.targets if one in functions):
            if not in_test(source, run) and not _is_awaited(source, fate):
                for first, stop, join in _overruled(source, fate, run):
                    if id(first.node) not in told:
                        told.add(id(first.node))
                        yield _finding(source, fate, run, first, stop, join)


def _overruled(source: Source, fate: FateScene, run: cst.FunctionDef) -> Iterator[tuple[Order, Order, cst.Call]]:
    """What the thread sets first, what a method that joins it sets the other way, and the join."""
    begun = [*_leading(source, run.body)]
    lines = {line for method, path, line in fate.uses if method == "join" and path == source.path} if begun else set()
    for call in source.all(cst.Call) if begun else ():
        around = source.function_node(call)
        if not isinstance(around, cst.FunctionDef) or not source.calls(call, JOIN):
            continue
        if source.line(call) in lines or _is_own(source, call, run):
            told = [one for one in _orders(source, around) if source.sequence(one.node) < source.sequence(call)]
            told = [one for one in told if not _waits_before(source, around, one.node)]
            for first in begun if around is not run else ():
                for stop in told:
                    if stop.state == first.state and stop.value == OPPOSITE[first.value]:
                        yield first, stop, call


def _is_own(source: Source, join: cst.Call, run: cst.FunctionDef) -> bool:
    """`self.join()` in the thread's own class."""
    owner = join.func.value if isinstance(join.func, cst.Attribute) else None
    cls = source.nearest(run, cst.ClassDef)
    return isinstance(owner, cst.Name) and cls is not None and source.nearest(join, cst.ClassDef) is cls


def _leading(source: Source, block: cst.BaseSuite) -> Iterator[Order]:
    """What a function sets before its first loop."""
    for line in block.body:
        if isinstance(line, (cst.Try, cst.With)):
            yield from _leading(source, line.body)
        if not isinstance(line, cst.SimpleStatementLine):
            return
        for small in line.body:
            order = _order(source, small)
            if order is not None:
                yield order


def _orders(source: Source, function: cst.FunctionDef) -> Iterator[Order]:
    for node in below(function):
        if isinstance(node, (cst.Assign, cst.Expr)):
            order = _order(source, node)
            if order is not None:
                yield order


def _order(source: Source, small: cst.CSTNode) -> Order | None:
    """`self.running = True`, `self._stop.clear()`."""
    if isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(small.value, cst.Name):
        target = small.targets[0].target
        known = small.value.value in OPPOSITE and isinstance(target, cst.Attribute)
        return Order(small, path_of(target), small.value.value) if known else None
    call = small.value if isinstance(small, cst.Expr) else None
    if isinstance(small, cst.Expr) and isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
        name, owner = call.func.attr.value, call.func.value
        if name in OPPOSITE and isinstance(owner, cst.Attribute) and EVENT in source.types(owner):
            return Order(small, path_of(owner), name)
    return None


def _is_awaited(source: Source, fate: FateScene) -> bool:
    """Whether who starts the thread waits there for something: it has begun before anybody can stop it."""
    for method, path, line in fate.uses:
        for call in source.all(cst.Call) if method == "start" and path == source.path else ():
            around = source.function_node(call)
            if source.line(call) == line and path_of(call.func).endswith(".start") and around is not None:
                later = (one for one in below(around) if source.sequence(one) > source.sequence(call))
                if any(_waits(one) for one in later):
                    return True
    return False


def _waits(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Call) and path_of(node.func).rpartition(".")[2] in WAITS


def _waits_before(source: Source, function: cst.FunctionDef, order: cst.CSTNode) -> bool:
    """Whether who stops the thread waits for something before: that it has begun."""
    return any(_waits(one) for one in below(function) if source.sequence(one) < source.sequence(order))


def _finding(
    source: Source, fate: FateScene, run: cst.FunctionDef, first: Order, stop: Order, join: cst.Call
) -> Finding:
    ending = source.function_node(join)
    name = ending.name.value if isinstance(ending, cst.FunctionDef) else "stop"
    tests = [one.test for one in source.inside(run, cst.While)]
    tests += [one.test for one in source.inside(run, cst.If) if source.loop(one) is not None]
    asked = any(
        isinstance(part, (cst.Name, cst.Attribute)) and path_of(part) == first.state
        for test in tests
        for part in below(test)
    )
    looks = ending is not None and any(
        path_of(part) == first.state
        for one in source.inside(ending, cst.If)
        for part in below(one.test)
        if isinstance(part, (cst.Name, cst.Attribute))
    )
    endless = not join.args or source.place(join).span.line in {one.span.line for one in fate.joins}
    text = source.code(first.node)
    message = f"`{text}` is done by the thread once it runs: a `{name}()` that came before it is forgotten"
    notes = (Note(source.place(stop.node), "set the other way here"),)
    weak = looks or not asked or not endless
    return Finding(source.place(first.node), f"{message}; do it before the thread is started", notes, when_asked=weak)


RULE = Rule(
    code="CON225",
    name="stop-overwritten",
    triggers=starts("threading.Thread", "threading.Thread.start", JOIN),
    check=check,
    examples=(
        Bad("""
            import threading

            class Poller:
                def __init__(self, poll):
                    self.poll = poll
                    self.running = False
                    self._thread = threading.Thread(target=self._run)

                def start(self):
                    self._thread.start()

                def _run(self):
                    self.running = True  # expect: CON225
                    while self.running:
                        self.poll()

                def stop(self):
                    self.running = False
                    self._thread.join()
            """),
        Bad("""
            import threading

            class Reader:
                def __init__(self, source):
                    self.source = source
                    self._over = threading.Event()
                    self._thread = threading.Thread(target=self._read)
                    self._thread.start()

                def _read(self):
                    try:
                        self._over.clear()  # expect: CON225
                        while not self._over.is_set():
                            print(self.source.readline())
                    finally:
                        self.source.close()

                def close(self):
                    self._over.set()
                    self._thread.join()
            """),
        Bad("""
            from threading import Thread

            class Watcher(Thread):
                def __init__(self, path):
                    super().__init__()
                    self.path = path

                def run(self):
                    print("begins")
                    self.stopped = False  # expect: CON225
                    while not self.stopped:
                        open(self.path).close()

                def stop(self):
                    self.stopped = True
                    self.join()

            def watch(path):
                watcher = Watcher(path)
                watcher.start()
                return watcher
            """),
        Good("""
            import threading

            class Poller:
                def __init__(self, poll):
                    self.poll = poll
                    self._begun = threading.Event()

                def start(self):
                    self.running = True
                    self._thread = threading.Thread(target=self._run)
                    self._thread.start()

                def _run(self):
                    while self.running:
                        self.poll()
                    self.running = False

                def stop(self):
                    self.running = False
                    self._thread.join()

            class Patient:
                def __init__(self, poll):
                    self.poll = poll
                    self._begun = threading.Event()

                def start(self):
                    self._thread = threading.Thread(target=self._run)
                    self._thread.start()
                    self._begun.wait()

                def _run(self):
                    self.running = True
                    self._begun.set()
                    while self.running:
                        self.poll()

                def stop(self):
                    self.running = False
                    self._thread.join()
            """),
    ),
)
