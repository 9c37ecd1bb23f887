"""The method of the base class holds a lock around this change; the method that takes its place here does not.

Whoever calls the method has an object of the base in mind, and the promise that goes with it: that it may be called by
several threads.  An object of this class breaks it, and in a place where nobody looks, since the lock stands in another
class.

Hold the same lock here, or leave the change to `super()`.
See https://docs.python.org/3/library/threading.html#lock-objects

Not reported: methods that call the base's method, that take a lock themselves or in what they call, that are decorated,
or that are called with the lock held; and those that change other attributes than the base's method does.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding, Note
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.program.values import split_id
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for found in evidence.overrides:
        base = split_id(found.base)[1]
        yield Finding(
            found.place,
            f"`{found.attribute}` changes here without `{found.lock.text}`, which `{base}` holds for it; hold it here "
            "too",
            notes=(Note(site_place(found.lock.site), f"`{base}` takes `{found.lock.text}` here"),),
        )


RULE = Rule(
    code="CON425",
    name="unlocked-override",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import threading

            class Base:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.items = []

                def put(self, item):
                    with self._lock:
                        self.items.append(item)

            class Fast(Base):
                def put(self, item):
                    self.items.append(item)  # expect: CON425
            """),
        Bad("""
            from threading import RLock

            class Counter:
                def __init__(self):
                    self.guard = RLock()
                    self.count = 0

                def add(self, amount):
                    self.guard.acquire()
                    try:
                        self.count += amount
                    finally:
                        self.guard.release()

            class Middle(Counter):
                pass

            class Limited(Middle):
                def add(self, amount):
                    if amount < 10:
                        self.count += amount  # expect: CON425
            """),
        Good("""
            import threading

            class Base:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.items = []

                def put(self, item):
                    with self._lock:
                        self.items.append(item)

            class Safe(Base):
                def put(self, item):
                    with self._lock:
                        self.items.append(item)

            class Loud(Base):
                def put(self, item):
                    print(item)
                    super().put(item)

            class Counting(Base):
                def put(self, item):
                    self.count = 1  # nothing that the base's method guards
            """),
        Good("""
            import threading

            class Base:
                def __init__(self):
                    self._lock = threading.RLock()
                    self.items = []

                def add(self, item):
                    with self._lock:
                        self._add(item)

                def _add(self, item):
                    with self._lock:
                        self.items.append(item)

            class Sub(Base):
                def _add(self, item):
                    self.items.append(item)  # the only one who calls it holds the lock
            """),
        Good("""
            import threading

            class Base:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.items = []

                def put(self, item):
                    with self._lock:
                        self.items.append(item)

                def locked(self):
                    return self._lock

            class Sub(Base):
                def put(self, item):
                    self._put(item)
                    self.items = list(self.items)

                def _put(self, item):
                    with self._lock:
                        self.items.append(item)
            """),
    ),
)
