"""While this thread waits for the condition it keeps another lock, and who is to wake it may need that one.

`Condition.wait` gives back the condition's own lock, so that another thread can change what is waited for and notify.
Every other lock that the thread holds it keeps.  A thread that needs such a lock before it comes to `notify` never
comes there: both wait for ever.  At best everybody else who wants the lock waits as long as this thread.

Give the other lock back before waiting; or make one lock do for both, `Condition(lock)`.
See https://docs.python.org/3/library/threading.html#condition-objects

Where nobody who notifies is seen to take the other lock, only time is at stake; that is said to those who ask for this
rule by name.

Not reported: a condition that was made of the other lock, a lock that nobody else takes, and a wait with a limit. One
that is several calls away is shown to those who select CON424.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding, Note
from conclint.program.contexts import site_place
from conclint.program.deadlocks import SecondLock
from conclint.program.evidence import Evidence
from conclint.program.sections import steps_to
from conclint.program.triggers import held_locks
from conclint.program.values import split_id
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for found in evidence.deadlocks.second_locks():
        seen = found.waiting.under.seen
        yield Finding(
            seen.place,
            f"`{seen.text}` waits for `{found.condition.text}` and keeps `{found.other.text}` meanwhile, which others "
            "need; give it back before",
            notes=tuple(_notes(found)),
            # Far away some other order keeps them apart, most likely.
            when_asked=not found.deadly or len(found.waiting.path) > 2,
        )


def _notes(found: SecondLock) -> Iterator[Note]:
    yield Note(site_place(found.other.site), f"`{found.other.text}` is taken here")
    yield from steps_to(found.waiting.path)
    if found.waiting.path:
        yield Note(site_place(found.waiting.at), f"`{found.waiting.at.call.func}` waits here")
    name = split_id(found.rival.site.caller)[1]
    yield Note(site_place(found.rival.site), f"meanwhile `{name}` waits for `{found.rival.text}` here")


RULE = Rule(
    code="CON424",
    name="wait-with-second-lock",
    triggers=held_locks(),
    conclude=conclude,
    examples=(
        Bad("""
            import threading

            lock = threading.Lock()
            filled = threading.Condition()
            items = []

            def take():
                with lock:
                    with filled:
                        while not items:
                            filled.wait()  # expect: CON424
                        return items.pop()

            def put(item):
                with lock:
                    with filled:
                        items.append(item)
                        filled.notify()
            """),
        Bad("""
            import threading

            class Store:
                def __init__(self):
                    self._lock = threading.RLock()
                    self._full = threading.Condition()
                    self._items = []

                def take(self):
                    with self._lock:
                        return self._next()  # expect: CON424

                def _next(self):
                    with self._full:
                        self._full.wait_for(lambda: self._items)
                        return self._items.pop()

                def put(self, item):
                    with self._lock:
                        self._items.append(item)
                    with self._full:
                        self._full.notify()
            """),
        Good("""
            import threading

            lock = threading.Lock()
            filled = threading.Condition(lock)
            emptied = threading.Condition(lock)
            items = []

            def take():
                with lock:
                    while not items:
                        filled.wait()
                    emptied.notify()
                    return items.pop()

            def put(item):
                with lock:
                    while len(items) > 9:
                        emptied.wait()
                    items.append(item)
                    filled.notify()
            """),
        Good("""
            import threading

            class Store:
                def __init__(self):
                    self._readers = threading.Lock()  # one reader at a time; who writes does not need it
                    self._full = threading.Condition()
                    self._items = []

                def take(self):
                    with self._readers:
                        with self._full:
                            self._full.wait_for(lambda: self._items)
                            return self._items.pop()

                def put(self, item):
                    with self._full:
                        self._items.append(item)
                        self._full.notify()
            """),
        Good("""
            import threading

            lock = threading.Lock()
            filled = threading.Condition()
            items = []

            def take():
                with filled:
                    filled.wait_for(lambda: items)
                with lock:
                    return items.pop()

            def put(item):
                with lock:
                    items.append(item)
                with filled:
                    filled.notify()
            """),
    ),
)
