"""This loop looks again and again whether another thread is done, instead of waiting for it.

Between two looks the thread sleeps although the other may be done already, and when it is not, it wakes up for
nothing; a loop with `pass` takes the interpreter from the very thread it waits for.

`Event.wait()`, `Future.result()`, `Thread.join()` and `Queue.get()` sleep until it happens and wake up at once. A
plain flag becomes a `threading.Event`.

https://docs.python.org/3/library/threading.html#event-objects

Not reported: loops that do anything else; conditions that ask something outside (a file, a process, a server, the
clock) or what nobody can see; loops with a time limit of their own; the main thread's loop that only waits for Ctrl-C;
and tests.  A loop that asks a thread or process whether it is alive, where `join` may not let Ctrl-C through, is shown
to those who select CON118.

The fix puts the wait in the place of a loop over an event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.model import Edit, Finding, Fix
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

SLEEP = "time.sleep"
EVENT = "threading.Event"
FUTURE = "concurrent.futures.Future"

JOIN = "join()"

# What is asked, whether the loop goes on while the answer is yes, and what waits for it.
QUESTIONS = {
    f"{EVENT}.is_set": (False, "wait()"),
    f"{EVENT}.isSet": (False, "wait()"),
    f"{FUTURE}.done": (False, "result()"),
    f"{FUTURE}.running": (True, "result()"),
    "multiprocessing.Event.is_set": (False, "wait()"),
    "multiprocessing.pool.AsyncResult.ready": (False, "wait()"),
    "threading.Thread.is_alive": (True, JOIN),
    "multiprocessing.Process.is_alive": (True, JOIN),
}


class Polled(NamedTuple):
    """What a loop waits for, and the call that waits for it (""` for a plain flag)."""

    what: cst.BaseExpression
    waits: str


class Asked(NamedTuple):
    """The question of a loop, and whether it goes on where the answer is yes."""

    test: cst.BaseExpression
    goes_on: bool


def check(source: Source) -> Iterator[Finding]:
    for loop in source.all(cst.While):
        asked = _asked(source, loop)
        polled = _polled(source, asked.test, goes_on=asked.goes_on) if asked is not None else None
        if asked is None or polled is None or in_test(source, loop) or _is_interrupted(source, loop):
            continue
        name = source.code(polled.what)
        cure = f"`{name}.{polled.waits}`" if polled.waits else "a `threading.Event` and its `wait()`"
        message = f"this loop polls `{name}` while it could sleep until it changes; use {cure}"
        fix = _fix(source, loop, polled) if asked.test is loop.test else None
        # `join` does not let Ctrl-C through on every system, and some poll for that alone.
        yield Finding(source.place(asked.test), message, fix=fix, when_asked=polled.waits == JOIN)


def _asked(source: Source, loop: cst.While) -> Asked | None:
    """What is asked each time round by a loop that does nothing else, in `while not done` or `if done: break`."""
    if loop.orelse is not None:
        return None
    lines = loop.body.body
    if _only_sleeps(source, lines):
        return Asked(loop.test, True)
    ends = [line for line in lines if isinstance(line, cst.If)]
    rest = [line for line in lines if not isinstance(line, cst.If)]
    if path_of(loop.test) != "True" or len(ends) != 1 or not _leaves(ends[0]) or not _only_sleeps(source, rest):
        return None
    return Asked(ends[0].test, False)


def _leaves(end: cst.If) -> bool:
    """`if …: break`, and nothing else."""
    line = end.body.body[0]
    small = line.body if isinstance(line, cst.SimpleStatementLine) else [line]
    return end.orelse is None and len(end.body.body) == 1 and isinstance(small[0], (cst.Break, cst.Return))


def _only_sleeps(source: Source, lines: Sequence[cst.CSTNode]) -> bool:
    """`pass`, `continue` or `time.sleep(…)`, and nothing else."""
    found = False
    for line in lines:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else [line]:
            found = True
            if isinstance(small, (cst.Pass, cst.Continue)):
                continue
            call = small.value if isinstance(small, cst.Expr) else None
            if not isinstance(call, cst.Call) or not source.calls(call, SLEEP):
                return False
    return found


def _polled(source: Source, test: cst.BaseExpression, *, goes_on: bool) -> Polled | None:
    while isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        test, goes_on = test.expression, not goes_on
    if isinstance(test, cst.Comparison):
        return _compared(source, test)
    each = _each(source, test, goes_on=goes_on)
    if each is not None:
        return _polled(source, each, goes_on=goes_on)
    if isinstance(test, cst.Call) and isinstance(test.func, cst.Attribute) and not test.args:
        known = next((QUESTIONS[name] for name in source.names(test.func) if name in QUESTIONS), None)
        return Polled(test.func.value, known[1]) if known is not None and known[0] is goes_on else None
    if isinstance(test, (cst.Name, cst.Attribute)) and _is_flag(source, test):
        return Polled(test, "")
    return None


def _each(source: Source, test: cst.BaseExpression, *, goes_on: bool) -> cst.BaseExpression | None:
    """What is asked of each: `any(thread.is_alive() for …)`, `not all(future.done() for …)`."""
    known = "builtins.any" if goes_on else "builtins.all"
    if not isinstance(test, cst.Call) or not source.calls(test, known) or len(test.args) != 1:
        return None
    every = test.args[0].value
    return every.elt if isinstance(every, (cst.GeneratorExp, cst.ListComp)) else None


def _compared(source: Source, test: cst.Comparison) -> Polled | None:
    """`while done is False`, `while answer is None`: a flag spelled out."""
    asked, said = test.left, test.comparisons[0]
    is_said = len(test.comparisons) == 1 and isinstance(said.operator, (cst.Is, cst.IsNot, cst.Equal, cst.NotEqual))
    if not is_said or path_of(said.comparator) not in ("None", "True", "False"):
        return None
    is_flag = isinstance(asked, (cst.Name, cst.Attribute)) and _is_flag(source, asked)
    return Polled(asked, "") if is_flag else None


def _is_flag(source: Source, node: cst.Name | cst.Attribute) -> bool:
    """Whether it is a plain flag that another thread changes."""
    store = source.named(node).store
    return store is not None and store in source.scene.timing.polled


def _is_interrupted(source: Source, loop: cst.While) -> bool:
    """Whether somebody waits here for Ctrl-C, which a plain wait does not always let through."""
    for outer in source.ancestors(loop):
        if isinstance(outer, cst.Try):
            caught = " ".join(source.code(one.type) for one in outer.handlers if one.type is not None)
            if "KeyboardInterrupt" in caught or "SystemExit" in caught:
                return True
        if isinstance(outer, cst.FunctionDef):
            return False
    return False


def _fix(source: Source, loop: cst.While, polled: Polled) -> Fix | None:
    if polled.waits != "wait()":
        return None
    span = source.span(loop)
    header = loop.body.header.comment if isinstance(loop.body, cst.IndentedBlock) else None
    if any("#" in line for line in source.text.lines[span.line : span.end_line]):
        return None  # a comment would be lost
    waits = f"{source.code(polled.what)}.wait()"
    return Fix(f"`{waits}`", (Edit(span, f"{waits}  {header.value}" if header is not None else waits),))


RULE = Rule(
    code="CON118",
    name="busy-wait",
    triggers=Triggers(calls=frozenset({SLEEP, *QUESTIONS}), state=True),
    check=check,
    examples=(
        Bad(
            """
            import threading
            import time

            ready = threading.Event()

            def use(value):
                while not ready.is_set():  # expect: CON118
                    time.sleep(0.1)
                return value
            """,
            fixed="""
            import threading
            import time

            ready = threading.Event()

            def use(value):
                ready.wait()  # expect: CON118
                return value
            """,
        ),
        Bad("""
            import threading
            import time

            class Loader:
                def __init__(self, path):
                    self.path = path
                    self.loaded = False
                    self.thread = threading.Thread(target=self._load)
                    self.thread.start()

                def _load(self):
                    with open(self.path) as file:
                        self.text = file.read()
                    self.loaded = True

                def get(self):
                    while not self.loaded:  # expect: CON118
                        time.sleep(0.05)
                    self.thread.join()
                    return self.text
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def size(path):
                with ThreadPoolExecutor() as pool:
                    future = pool.submit(len, path)
                    while not future.done():  # expect: CON118
                        pass
                    return future.result()
            """),
        Good("""
            import threading

            ready = threading.Event()

            def use(value):
                ready.wait()
                return value
            """),
        Good("""
            import os
            import time

            def appears(path, process):
                while not os.path.exists(path):
                    time.sleep(0.5)
                while process.poll() is None:
                    time.sleep(0.5)
            """),
        Good("""
            import threading
            import time

            def main(server, stop: threading.Event):
                try:
                    while not stop.is_set():
                        time.sleep(1)
                except KeyboardInterrupt:
                    server.close()
            """),
        Good("""
            import time

            class Robot:
                def __init__(self):
                    self.moving = True

                def wait(self, deadline):
                    while self.moving and time.time() < deadline:
                        time.sleep(0.1)
            """),
    ),
)
