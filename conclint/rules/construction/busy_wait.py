"""This loop looks again and again whether another thread is done, instead of waiting for it.

Between two looks the thread sleeps although the other may be done already, and when it is not, it wakes up for
nothing; a loop with `pass` takes the interpreter from the very thread it waits for.

`Event.wait()`, `Future.result()`, `Thread.join()` and `Queue.get()` sleep until it happens and wake up at once. A
plain flag becomes a `threading.Event`.

https://docs.python.org/3/library/threading.html#event-objects

Not reported: loops that do anything else; conditions that ask something outside (a file, a process, a server, the
clock) or what nobody can see; loops with a time limit of their own; the main thread's loop that only waits for Ctrl-C;
and tests.

The fix puts the wait in the place of a loop over an event.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.model import Edit, Finding, Fix
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

SLEEP = "time.sleep"
EVENT = "threading.Event"
FUTURE = "concurrent.futures.Future"

# What is asked, whether the loop goes on while the answer is yes, and what waits for it.
QUESTIONS = {
    f"{EVENT}.is_set": (False, "wait()"),
    f"{EVENT}.isSet": (False, "wait()"),
    f"{FUTURE}.done": (False, "result()"),
    f"{FUTURE}.running": (True, "result()"),
    "multiprocessing.Event.is_set": (False, "wait()"),
    "multiprocessing.pool.AsyncResult.ready": (False, "wait()"),
}


class Polled(NamedTuple):
    """What a loop waits for, and the call that waits for it (""` for a plain flag)."""

    what: cst.BaseExpression
    waits: str


def check(source: Source) -> Iterator[Finding]:
    for loop in source.all(cst.While):
        if loop.orelse is not None or not _only_sleeps(source, loop) or in_test(source, loop):
            continue
        polled = _polled(source, loop.test)
        if polled is not None and not _is_interrupted(source, loop):
            name = source.code(polled.what)
            cure = f"`{name}.{polled.waits}`" if polled.waits else "a `threading.Event` and its `wait()`"
            message = f"this loop polls `{name}` while it could sleep until it changes; use {cure}"
            yield Finding(source.place(loop.test), message, fix=_fix(source, loop, polled))


def _only_sleeps(source: Source, loop: cst.While) -> bool:
    """`pass`, `continue` or `time.sleep(…)`, and nothing else."""
    found = False
    for line in loop.body.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else [line]:
            found = True
            if isinstance(small, (cst.Pass, cst.Continue)):
                continue
            call = small.value if isinstance(small, cst.Expr) else None
            if not isinstance(call, cst.Call) or not source.calls(call, SLEEP):
                return False
    return found


def _polled(source: Source, test: cst.BaseExpression) -> Polled | None:
    goes_on = True
    while isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        test, goes_on = test.expression, not goes_on
    if isinstance(test, cst.Call) and isinstance(test.func, cst.Attribute) and not test.args:
        known = next((QUESTIONS[name] for name in source.names(test.func) if name in QUESTIONS), None)
        return Polled(test.func.value, known[1]) if known is not None and known[0] is goes_on else None
    if isinstance(test, (cst.Name, cst.Attribute)) and _is_flag(source, test):
        return Polled(test, "")
    return None


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
    triggers=calls(SLEEP, *QUESTIONS),
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
