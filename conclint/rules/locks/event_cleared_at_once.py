"""An event that is cleared at the wrong moment is missed by whoever should be woken.

`Event.set()` wakes up those who wait now. `clear()` straight after it takes the signal back: a thread that is just on
its way to `wait()`, or still busy with the signal before, finds the event clear and sleeps on. With
`multiprocessing.Event` even those who were waiting look again, find it clear, and report that nothing happened.

The same signal is lost where a thread waits, takes all that it finds, and clears the event after that: what somebody
puts there and announces between the last two steps is taken back unseen, and lies there until the next signal.

Let who waited clear the event, right after `wait()`, before it looks what there is to do. To wake up all who wait,
again and again, use a `Condition` around a counter: `with condition: turn += 1; condition.notify_all()`.

Not reported: `asyncio.Event`, which wakes up its waiters whatever comes after; an event on which the same file waits
with a time limit; anything between `set()` and `clear()`; events that are cleared under the lock under which the
work is taken, or after which the loop looks once more; and tests.

https://docs.python.org/3/library/threading.html#threading.Event.clear
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.lostsignals import Late
    from conclint.source.source import Source

EVENTS = ("threading.Event", "multiprocessing.Event")


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.lostsignals import cleared_late
    from conclint.source.testcode import in_test

    for cleared in source.all(cst.Call):
        if not source.calls(cleared, *(f"{event}.clear" for event in EVENTS)):
            continue
        late = cleared_late(source, cleared)
        if late is not None:
            yield _missed(source, cleared, late)
        before = _before(source, cleared)
        if before is None or source.code(before.func) != _set(source, cleared) or in_test(source, cleared):
            continue
        if not _looks_again(source, cleared):
            yield Finding(
                source.place(cleared),
                "whoever does not wait at this moment misses the signal; let the waiter clear it, or use a `Condition`",
                notes=(Note(source.place(before), "it is set here"),),
            )


def _missed(source: Source, cleared: cst.Call, late: Late) -> Finding:
    from conclint.source.paths import path_of

    taken = path_of(late.taken)
    return Finding(
        source.place(cleared),
        f"what comes after `{taken}` was emptied and before this is never announced; clear the event right after "
        "`wait()`",
        notes=(
            Note(source.place(late.wait), "woken here"),
            Note(source.place(late.taken), f"`{taken}` is emptied here"),
        ),
    )


def _set(source: Source, cleared: cst.Call) -> str:
    return source.code(cleared.func).removesuffix("clear") + "set"


def _looks_again(source: Source, cleared: cst.Call) -> bool:
    """Whether who waits for the event does so with a time limit: a missed signal costs a moment."""
    event = re.escape(source.code(cleared.func).removesuffix(".clear").rpartition(".")[2])
    return bool(re.search(rf"\b{event}\.wait\(\s*[^)\s]", source.text.text))


def _before(source: Source, call: cst.Call) -> cst.Call | None:
    """The call that is the whole statement before this one."""
    line = source.statement(call)
    block = source.parent(line)
    if not isinstance(block, (cst.IndentedBlock, cst.Module)) or not isinstance(source.parent(call), cst.Expr):
        return None
    smalls: list[cst.CSTNode] = []
    for one in block.body:
        smalls += one.body if isinstance(one, cst.SimpleStatementLine) else [one]
    place = next((number for number, small in enumerate(smalls) if small is source.parent(call)), 0)
    before = smalls[place - 1] if place else None
    return before.value if isinstance(before, cst.Expr) and isinstance(before.value, cst.Call) else None


RULE = Rule(
    code="CON417",
    name="event-cleared-at-once",
    triggers=calls(*(f"{event}.clear" for event in EVENTS)),
    check=check,
    examples=(
        Bad("""
            import threading

            changed = threading.Event()

            def change(state, value):
                state.value = value
                changed.set()
                changed.clear()  # expect: CON417
            """),
        Bad("""
            from threading import Event as Flag

            class Feed:
                def __init__(self):
                    self._news = Flag()
                    self.items = []

                def put(self, item):
                    self.items.append(item)
                    self._news.set(); self._news.clear()  # expect: CON417
            """),
        Bad("""
            import multiprocessing

            def tick(beat: multiprocessing.Event, clock):
                while clock.runs():
                    clock.wait()
                    beat.set()
                    beat.clear()  # expect: CON417
            """),
        Bad("""
            import threading

            class Mailer:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._news = threading.Event()
                    self._outbox = []

                def send(self, mail):
                    with self._lock:
                        self._outbox.append(mail)
                    self._news.set()

                def run(self):
                    while True:
                        self._news.wait()
                        with self._lock:
                            mails, self._outbox = self._outbox, []
                        for mail in mails:
                            mail.deliver()
                        self._news.clear()  # expect: CON417

                def run_well(self):
                    while True:
                        self._news.wait()
                        self._news.clear()
                        with self._lock:
                            mails, self._outbox = self._outbox, []
                        for mail in mails:
                            mail.deliver()

                def run_under_lock(self):
                    while True:
                        self._news.wait()
                        with self._lock:
                            mails, self._outbox = self._outbox, []
                            self._news.clear()
                        for mail in mails:
                            mail.deliver()

                def run_twice(self):
                    while True:
                        self._news.wait()
                        while self._outbox:
                            self._outbox.pop().deliver()
                        self._news.clear()
                        if self._outbox:
                            self._news.set()
            """),
        Good("""
            import asyncio
            import threading

            class Feed:
                def __init__(self):
                    self._news = threading.Event()
                    self._read = threading.Event()
                    self._woken = threading.Event()
                    self._pulse = asyncio.Event()
                    self.items = []

                def put(self, item):
                    self.items.append(item)
                    self._news.set()
                    self._read.wait()
                    self._news.clear()

                def take(self):
                    self._news.wait()
                    self._news.clear()
                    self._read.set()
                    self._news.clear()
                    return self.items.pop()

                def wake(self):
                    self._woken.set()
                    self._woken.clear()

                def sleep(self):
                    self._woken.wait(timeout=1)

                def pulse(self, flags: set):
                    self._pulse.set()
                    self._pulse.clear()
                    flags.add(1)
                    flags.clear()
            """),
    ),
)
