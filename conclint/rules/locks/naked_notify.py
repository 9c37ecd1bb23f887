"""A wake-up without news: nothing that the waiter looks for has changed before it.

`notify()` wakes up who waits at this moment, and nothing remembers it.  A waiter that is woken and finds its condition
as false as before goes on waiting; one that comes a moment later has missed the call and waits for ever.

Change the state that the waiter tests first, under the lock, then notify:

    with condition:
        ready = True
        condition.notify_all()

Where there is no state, a `threading.Event` is what is meant: it remembers that it was set.

Found are wake-ups of threads or tasks that wait in the same file, by functions that have changed nothing before, or
change only afterwards what is waited for.

Not reported: functions that call others before (they may change it), or whose callers change something; functions
that end an object's life, and those that are called `wake_up` or the like, unless what is waited for never changes at
all; private functions; waits with a limit that look at nothing, and waits for what only a function can tell.

https://docs.python.org/3/library/threading.html#condition-objects
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.locks import methods
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.notifying import Naked
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.notifying import naked

    for found in naked(source):
        place = found.notified.call if found.late is None else found.late
        notes = [Note(source.place(found.waited.call), "it is waited for here")]
        if found.late is not None:
            notes.append(Note(source.place(place), "what is waited for changes here, too late"))
        yield Finding(source.place(found.notified.call), _message(found), notes=tuple(notes))


def _message(found: Naked) -> str:
    text = f"{found.notified.text}.{found.notified.method}()"
    if found.late is not None:
        return f"`{text}` comes before what it tells of, and who is woken finds it as before; change it first"
    return f"`{text}` tells of nothing that has changed, and who waits later misses it; change the state first"


RULE = Rule(
    code="CON416",
    name="naked-notify",
    triggers=calls(*methods("wait", "wait_for", "notify", "notify_all", "notifyAll")),
    check=check,
    examples=(
        Bad("""
            import threading

            condition = threading.Condition()
            ready = False

            def consume():
                with condition:
                    while not ready:
                        condition.wait()

            def produce():
                print("almost")
                with condition:
                    condition.notify_all()  # expect: CON416
            """),
        Bad("""
            from threading import Condition as Cond, Lock

            class Mailbox:
                def __init__(self):
                    self._lock = Lock()
                    self._filled = Cond(self._lock)
                    self.letter = None

                def take(self):
                    with self._filled:
                        self._filled.wait_for(lambda: self.letter is not None)
                        return self.letter

                def put(self, letter):
                    with self._lock:
                        self._filled.notify()  # expect: CON416
                    self.letter = letter
            """),
        Bad("""
            import asyncio

            class Gate:
                def __init__(self):
                    self.moved = asyncio.Condition()

                async def wait(self):
                    async with self.moved:
                        await self.moved.wait()

                async def lift(self):
                    async with self.moved:
                        self.moved.notify_all()  # expect: CON416
            """),
        Bad("""
            import threading

            class Job:
                def __init__(self):
                    self.changed = threading.Condition()
                    self.done = False

                def join(self):
                    self.changed.acquire()
                    try:
                        while not self.done:
                            self.changed.wait()
                    finally:
                        self.changed.release()

                def wake_up(self):
                    self.changed.acquire()
                    self.changed.notify_all()  # expect: CON416
                    self.changed.release()
            """),
        Good("""
            import threading

            condition = threading.Condition()
            ready = False
            items = []

            def consume():
                with condition:
                    while not ready and not items:
                        condition.wait()

            def produce():
                global ready
                with condition:
                    ready = True
                    condition.notify_all()

            def put(item):
                items.append(item)
                with condition:
                    condition.notify()

            def put_later(item):
                with condition:
                    condition.notify()
                    items.append(item)  # nobody has the lock before this

            def wake_up():
                with condition:
                    condition.notify_all()
            """),
        Good("""
            import threading

            class Store:
                def __init__(self):
                    self._changed = threading.Condition()
                    self._items = []
                    self._open = True

                def take(self):
                    with self._changed:
                        while self._open and not self._items:
                            self._changed.wait()
                        return self._items.pop()

                def put(self, item):
                    with self._changed:
                        self._add(item)
                        self._changed.notify()

                def _add(self, item):
                    self._items.append(item)

                def end(self):
                    self._open = False
                    self.tell()

                def tell(self):
                    with self._changed:
                        self._changed.notify_all()

                def close(self):
                    with self._changed:
                        self._changed.notify_all()
            """),
        Good("""
            import threading

            class Poller:
                def __init__(self, source):
                    self._tick = threading.Condition()
                    self._source = source

                def run(self):
                    while True:
                        with self._tick:
                            self._tick.wait(5)
                        self._source.poll()

                def now(self):
                    with self._tick:
                        self._tick.notify()  # before the five seconds are over


            class Queue:
                def __init__(self, source):
                    self._filled = threading.Condition()
                    self._source = source

                def take(self):
                    with self._filled:
                        while self._source.empty():
                            self._filled.wait()

                def look(self):
                    with self._filled:
                        self._filled.notify()  # what is waited for is elsewhere
            """),
    ),
)
