"""What all objects of a class share is changed under a lock of which every object has its own.

`self._lock = threading.Lock()` in `__init__` makes one lock for each object.  Two objects that change
`Counter.total` hold two different locks, and nobody waits for anybody: both may read the same number, and of the two
updates one is lost.

Make the lock where the state is made: `_total_lock = threading.Lock()` beside `total = 0` in the class's body, and hold
`Counter._total_lock` around it.  The object's own lock still guards what is the object's own.

Not reported: classes of which there is one object only (a singleton, or one that a module makes for itself); a single
step such as `Counter.names.append(name)`, with nothing read beside it; a lock that is handed to the constructor, since
all objects may be given the same one; a second lock that they share. Shown to those who select CON315: classes of which
the program makes one object, at one place to which only one way leads, from a module or from `main`.

How names of a class differ from names of its objects: https://docs.python.org/3/tutorial/classes.html#class-and-instance-variables
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix
from conclint.program.evidence import Evidence
from conclint.program.triggers import guarded_state
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for found in evidence.own_locks:
        lock = f"self.{found.lock.path}"
        yield Finding(
            found.access.place,
            f"`{found.access.text}` belongs to all objects, but each has a `{lock}` of its own: two of them change it "
            "at once; hold a lock of the class",
            when_asked=found.weak,
        )


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.locking import lock_statement

    return lock_statement(source, finding.place.span, of_class=True)


RULE = Rule(
    code="CON315",
    name="own-lock-for-class-state",
    triggers=guarded_state(),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import threading

            class Counter:
                total = 0

                def __init__(self):
                    self._lock = threading.Lock()

                def add(self, number):
                    with self._lock:
                        Counter.total += number  # expect: CON315
            """,
            fixed="""
            import threading

            class Counter:
                total = 0
                _total_lock = threading.Lock()

                def __init__(self):
                    self._lock = threading.Lock()

                def add(self, number):
                    with self._lock:
                        with Counter._total_lock:
                            Counter.total += number  # expect: CON315
            """,
        ),
        Bad("""
            from threading import RLock

            class Session:
                known = {}

                def __init__(self, name):
                    self.name = name
                    self.lock = RLock()

                def count(self):
                    with self.lock:
                        self._count()

                def _count(self):
                    with self.lock:
                        self.known[self.name] += 1  # expect: CON315

                def forget(self):
                    self.lock.acquire()
                    try:
                        if self.name in self.known:  # expect: CON315
                            del self.known[self.name]
                    finally:
                        self.lock.release()
            """),
        Good("""
            import threading

            class Counter:
                total = 0
                names = []
                lock = threading.Lock()

                def __init__(self, shared):
                    self._lock = threading.Lock()
                    self._shared = shared
                    self.number = 0

                def add(self, number):
                    with self._lock:
                        self.number += number
                    with self.lock:
                        Counter.total += number

                def add_all(self, numbers):
                    with self._shared:
                        Counter.total += sum(numbers)

                def call(self, name):
                    with self._lock:
                        Counter.names.append(name)
            """),
        Good("""
            import threading

            class Registry:
                rows = {}

                def __init__(self):
                    self._lock = threading.Lock()

                def count(self, key):
                    with self._lock:
                        self.rows[key] += 1

            REGISTRY = Registry()  # the only one
            """),
        Good("""
            import threading

            class Session:
                retries = 3

                def __init__(self):
                    self._lock = threading.Lock()

                def retry(self):
                    with self._lock:
                        self.retries -= 1  # makes one of its own
            """),
    ),
)
