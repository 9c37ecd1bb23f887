"""This timer sets itself again, for ever, and nobody can stop it.

A function that ends with `threading.Timer(5, itself).start()` makes a new thread each time, and drops its handle. There
is nothing to `cancel()`, and since the thread is no daemon the interpreter never exits: at the end of the program it
waits for a timer that always comes again. Each round also comes later, by the time that the work takes. So does one
that sets a timer for another function, which calls it again: `start` → `Timer(5, self._beat)` → `start`.

Use one thread with a loop, `while not stop.wait(5): work()`, and set the event at the end. Or keep the timer where
`cancel()` can reach it.

Not reported: timers that are kept and cancelled, daemons, and functions that set the timer only under a condition.

See https://docs.python.org/3/library/threading.html#threading.Timer
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding
from conclint.program.triggers import starts
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

TIMER = "threading.Timer"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.again import always, comes_back

    for call in source.all(cst.Call):
        if not source.calls(call, TIMER):
            continue
        fate = source.fate(call) if comes_back(source, call) else None
        if fate is None or fate.daemon is not False or fate.escapes or fate.does("cancel") or not fate.begun:
            continue
        if always(source, call):
            message = "this timer sets itself again for ever: nobody can cancel it, and the interpreter never exits"
            advice = "use a thread that waits for an event, `while not stop.wait(…)`"
            yield Finding(source.place(call), f"{message}; {advice}")


RULE = Rule(
    code="CON208",
    name="rearming-timer",
    triggers=starts(TIMER),
    check=check,
    examples=(
        Bad("""
            import threading

            def tick():
                print("tick")
                threading.Timer(5, tick).start()  # expect: CON208

            tick()
            """),
        Bad("""
            from threading import Timer

            class Poller:
                def __init__(self, poll):
                    self.poll = poll

                def _again(self):
                    try:
                        self.poll()
                    finally:
                        timer = Timer(60, self._again)  # expect: CON208
                        timer.start()
            """),
        Bad("""
            import threading as t

            class Saver:
                def __init__(self, save):
                    self._save = save
                    self._timer = None

                def _run(self):
                    self._timer = t.Timer(interval=30, function=self._run)  # expect: CON208
                    self._timer.start()
                    self._save()
            """),
        Bad("""
            import threading

            class Heartbeat:
                def __init__(self, link):
                    self._link = link

                def start(self):
                    threading.Timer(5, self._beat).start()  # expect: CON208

                def _beat(self):
                    self._link.send("alive")
                    self.start()
            """),
        Good("""
            import threading

            class Poller:
                def __init__(self, poll):
                    self.poll = poll
                    self._timer = None
                    self.stopped = False

                def _again(self):
                    self.poll()
                    self._timer = threading.Timer(5, self._again)
                    self._timer.start()

                def _while_wanted(self):
                    self.poll()
                    if not self.stopped:
                        threading.Timer(5, self._while_wanted).start()

                def _until_stopped(self):
                    if self.stopped:
                        return
                    threading.Timer(5, self._until_stopped).start()

                def _in_background(self):
                    timer = threading.Timer(5, self._in_background)
                    timer.daemon = True
                    timer.start()

                def stop(self):
                    self._timer.cancel()

            def once(work):
                threading.Timer(5, work).start()
            """),
    ),
)
