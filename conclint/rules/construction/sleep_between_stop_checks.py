"""Who stops this thread waits for the whole sleep, since nothing wakes it.

The loop asks the event whether to go on and then sleeps: `stop()` followed by `join()` takes up to one whole period,
and a program that ends waits as long. `Event.wait(period)` sleeps as well, and returns at once when the event is set.

Sleep with `stop.wait(period)` instead of `time.sleep(period)`.

https://docs.python.org/3/library/threading.html#threading.Event.wait

Not reported: sleeps below one second or for what is left of a period, sleeps in a loop inside, loops that do nothing
else, and events that are neither `threading.Event` nor `multiprocessing.Event`.

The fix wakes the loop early where the event is set meanwhile: it is applied with `--unsafe-fixes` only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding, Fix, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

SLEEP = "time.sleep"
ASKS = ("threading.Event.is_set", "threading.Event.isSet", "multiprocessing.Event.is_set")

# Who waits for less hardly notices.
SHORT = 1.0


def check(source: Source) -> Iterator[Finding]:
    for sleep in source.all(cst.Call):
        if len(sleep.args) != 1 or not source.calls(sleep, SLEEP) or not _is_long(source, sleep):
            continue
        loop = source.loop(sleep)
        if not isinstance(loop, cst.While) or _only_waits(source, loop, sleep) or in_test(source, sleep):
            continue
        asked = _asked(source, loop.test) or _asked_inside(source, loop)
        if asked is None or not isinstance(source.parent(sleep), cst.Expr):
            continue
        event, period = source.code(asked), source.code(sleep.args[0].value)
        what = f"setting `{event}` does not wake this sleep, and who stops the loop waits for it"
        fix = Fix(f"wait for `{event}`", (source.replace(sleep, f"{event}.wait({period})"),))
        note = Note(source.place(asked), "the loop asks this event whether to go on")
        yield Finding(source.place(sleep), f"{what}; use `{event}.wait({period})`", (note,), fix)


def _only_waits(source: Source, loop: cst.While, sleep: cst.Call) -> bool:
    """Whether the loop does nothing but sleep, and so waits for the event: another defect."""
    return len(loop.body.body) == 1 and source.parent(source.statement(sleep)) is loop.body


def _asked(source: Source, test: cst.BaseExpression) -> cst.BaseExpression | None:
    """The event in `while not event.is_set():`, also beside other conditions."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return _asked(source, test.left) or _asked(source, test.right)
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        call = test.expression
        if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and source.calls(call, *ASKS):
            return call.func.value
    return None


def _asked_inside(source: Source, loop: cst.While) -> cst.BaseExpression | None:
    """The event in `while True: if event.is_set(): break`."""
    for line in loop.body.body if path_of(loop.test) == "True" else ():
        test = line.test if isinstance(line, cst.If) else None
        if isinstance(test, cst.Call) and isinstance(test.func, cst.Attribute) and source.calls(test, *ASKS):
            leaves = (source.inside(line, kind) for kind in (cst.Break, cst.Return))
            return test.func.value if any(any(found) for found in leaves) else None
    return None


def _is_long(source: Source, sleep: cst.Call) -> bool:
    """Whether it may last a second or longer, as far as the number is known."""
    value = sleep.args[0].value
    found = _number(value)
    reckoned = _reckons(source, value) or _is_reckoned(source, sleep, path_of(value))
    if found is None and reckoned:
        return False
    if found is None and isinstance(value, (cst.Name, cst.Attribute)):
        known = list(_bound(source, path_of(value).rpartition(".")[2]))
        return not known or max(known) >= SHORT
    return found is None or found >= SHORT


def _is_reckoned(source: Source, sleep: cst.Call, name: str) -> bool:
    """Whether the function computes how long: what is left of a period, which may be short."""
    around = source.function_node(sleep)
    for assign in source.all(cst.Assign):
        if any(path_of(one.target) == name for one in assign.targets) and source.function_node(assign) is around:
            reckoned = _number(assign.value) is None and _reckons(source, assign.value)
            if reckoned:
                return True
    return False


def _reckons(source: Source, value: cst.BaseExpression) -> bool:
    """`PERIOD - passed`, `max(0, rest)`."""
    called = isinstance(value, cst.Call) and source.calls(value, "builtins.max", "builtins.min")
    return called or isinstance(value, cst.BinaryOperation)


def _bound(source: Source, name: str) -> Iterator[float]:
    """The numbers that the name gets anywhere in the file, as a default too."""
    bound = re.compile(rf"\b{re.escape(name)}\s*(?::[^=\n]*)?=\s*(\d*\.?\d+)\b")
    for line in source.text.lines:
        for found in bound.finditer(line) if name in line else ():
            yield float(found[1])


def _number(value: cst.BaseExpression) -> float | None:
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Multiply):
        left, right = _number(value.left), _number(value.right)
        return left * right if left is not None and right is not None else None
    return float(value.evaluated_value) if isinstance(value, (cst.Integer, cst.Float)) else None


RULE = Rule(
    code="CON119",
    name="sleep-between-stop-checks",
    triggers=calls(SLEEP),
    check=check,
    examples=(
        Bad(
            """
            import threading
            import time

            stop = threading.Event()

            def watch(poll):
                while not stop.is_set():
                    poll()
                    time.sleep(60)  # expect: CON119
            """,
            fixed="""
            import threading
            import time

            stop = threading.Event()

            def watch(poll):
                while not stop.is_set():
                    poll()
                    stop.wait(60)  # expect: CON119
            """,
        ),
        Bad(
            """
            from threading import Event, Thread
            from time import sleep

            class Poller(Thread):
                def __init__(self, poll, period=10):
                    super().__init__()
                    self.poll = poll
                    self.period = period
                    self._ended = Event()

                def run(self):
                    while not self._ended.is_set():
                        self.poll()
                        sleep(self.period)  # expect: CON119

                def stop(self):
                    self._ended.set()
                    self.join()
            """,
            fixed="""
            from threading import Event, Thread
            from time import sleep

            class Poller(Thread):
                def __init__(self, poll, period=10):
                    super().__init__()
                    self.poll = poll
                    self.period = period
                    self._ended = Event()

                def run(self):
                    while not self._ended.is_set():
                        self.poll()
                        self._ended.wait(self.period)  # expect: CON119

                def stop(self):
                    self._ended.set()
                    self.join()
            """,
        ),
        Bad("""
            import threading
            import time as clock

            def watch(poll, over: threading.Event, tries):
                while tries > 0 and not over.is_set():
                    if not poll():
                        clock.sleep(5)  # expect: CON119
                        continue
                    tries -= 1
            """),
        Good("""
            import threading

            stop = threading.Event()

            def watch(poll):
                while not stop.wait(60):
                    poll()
            """),
        Good("""
            import threading
            import time

            PERIOD = 0.05

            def watch(poll, stop: threading.Event):
                while not stop.is_set():
                    poll()
                    time.sleep(PERIOD)
                while not stop.is_set():
                    poll()
                    time.sleep(0.2)
            """),
        Good("""
            import time

            class Valve:
                def is_set(self):
                    return False

            def watch(valve: Valve, other):
                while not valve.is_set():
                    time.sleep(60)
                while not other.is_set():
                    time.sleep(60)
            """),
    ),
)
