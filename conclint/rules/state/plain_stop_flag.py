"""This loop asks a plain flag whether to go on, which tells it to stop and cannot wake it.

Under CPython's GIL a plain attribute works: sooner or later the loop sees that it has changed.  But nobody can wait for
it.  The loop sleeps out its period before it looks again, and whoever stops it waits for that as well.

A `threading.Event` says the same and can be waited for: `while not self._stop.wait(1):` sleeps a second at most, and
wakes up at once when `self._stop.set()` is called.

https://docs.python.org/3/library/threading.html#event-objects

Not on by default: the plain flag works, if slowly.  Reported are loops that sleep in each round, in a thread, with a
flag that another function changes while they run.  Not reported: loops that do nothing but wait (CON118), and tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

SLEEP = "time.sleep"


def check(source: Source) -> Iterator[Finding]:
    if not source.scene.timing.polled:
        return
    for loop in source.all(cst.While):
        flag = next(_flags(source, loop.test), None)
        if flag is None or not _works(loop) or _changes(source, loop, flag):
            continue
        if _sleeps(source, loop) and not in_test(source, loop):
            name = source.code(flag)
            yield Finding(
                source.place(flag),
                f"`{name}` is a plain flag: setting it does not wake this loop, which sleeps out its time first; make "
                "it a `threading.Event`, and sleep with its `wait()`",
            )


def _works(loop: cst.While) -> bool:
    """Whether it does more than to sleep."""
    first = loop.body.body[0]
    return len(loop.body.body) > 1 or (isinstance(first, cst.SimpleStatementLine) and len(first.body) > 1)


def _flags(source: Source, test: cst.BaseExpression) -> Iterator[cst.Name | cst.Attribute]:
    """The flags in `while self.running:`, `while not done and tries:`."""
    if isinstance(test, cst.BooleanOperation):
        yield from _flags(source, test.left)
        yield from _flags(source, test.right)
    elif isinstance(test, cst.UnaryOperation):
        yield from _flags(source, test.expression)
    elif isinstance(test, cst.Comparison) and path_of(test.comparisons[0].comparator) in ("True", "False"):
        yield from _flags(source, test.left)
    elif isinstance(test, (cst.Name, cst.Attribute)) and source.named(test).store in source.scene.timing.polled:
        yield test


def _changes(source: Source, loop: cst.While, flag: cst.BaseExpression) -> bool:
    """Whether the loop counts or turns it itself: no word from outside."""
    changed = [one.target for one in source.inside(loop.body, cst.AugAssign)]
    changed += [target.target for target in source.inside(loop.body, cst.AssignTarget)]
    return any(path_of(one) == path_of(flag) for one in changed)


def _sleeps(source: Source, loop: cst.While) -> bool:
    """Whether the loop sleeps in each round, not one inside it, nor under a condition."""
    return any(
        source.calls(call, SLEEP) and source.nearest(call, cst.If, cst.For, cst.While) is loop
        for call in source.inside(loop.body, cst.Call)
    )


RULE = Rule(
    code="CON322",
    name="plain-stop-flag",
    triggers=calls(SLEEP),
    check=check,
    default=False,
    examples=(
        Bad("""
            import threading
            import time

            class Poller:
                def __init__(self):
                    self.running = True
                    self.thread = threading.Thread(target=self._run)

                def _run(self):
                    while self.running:  # expect: CON322
                        self.step()
                        time.sleep(1)

                def step(self):
                    print("step")

                def stop(self):
                    self.running = False
                    self.thread.join()
            """),
        Bad("""
            import threading
            from time import sleep

            done = False

            def work(limit):
                tries = 0
                while not done and tries < limit:  # expect: CON322
                    tries += 1
                    sleep(0.5)

            def main():
                global done
                thread = threading.Thread(target=work, args=(9,))
                thread.start()
                input()
                done = True
                thread.join()
            """),
        Bad("""
            import threading
            import time

            class Watcher(threading.Thread):
                def __init__(self):
                    super().__init__()
                    self._stopped = False

                def run(self):
                    while self._stopped is False:  # expect: CON322
                        self.look()
                        time.sleep(5)

                def look(self):
                    return open("names.txt")

                def stop(self):
                    self._stopped = True
            """),
        Good("""
            import threading

            class Poller:
                def __init__(self):
                    self._stop = threading.Event()
                    self.thread = threading.Thread(target=self._run)

                def _run(self):
                    while not self._stop.wait(1):
                        self.step()

                def step(self):
                    print("step")

                def stop(self):
                    self._stop.set()
                    self.thread.join()
            """),
        Good("""
            import threading
            import time

            class Job:
                def __init__(self):
                    self.left = 3
                    self.ready = False

                def run(self):
                    left = 3
                    while left:  # its own
                        left -= 1
                        time.sleep(1)
                    while self.left:
                        self.left -= 1
                        time.sleep(1)

                def start(self):
                    threading.Thread(target=self.run).start()

                def take(self, queue):
                    while self.ready:  # never sleeps
                        queue.get()
                        self.left += 1

                def stop(self):
                    self.ready = False
            """),
        Good("""
            import time

            class Loop:
                def __init__(self):
                    self.running = True

                def run(self):
                    while self.running:  # one thread only
                        self.step()
                        time.sleep(1)

                def step(self):
                    self.running = False
            """),
    ),
)
