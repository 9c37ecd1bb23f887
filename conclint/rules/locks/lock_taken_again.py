"""This call takes a lock that its own thread holds already, and waits for itself for ever.

A `threading.Lock` does not know who holds it: a second `acquire` waits until somebody gives the lock back, and the only
one who could is waiting.  The two places stand in different functions, so neither of them looks wrong.

Split the inner method in two, one that takes the lock and one (`_…_locked`) that expects it; or make the lock an RLock,
if the state may be seen half changed by the inner call.
See https://docs.python.org/3/library/threading.html#rlock-objects

Not reported: RLocks and Conditions made without a lock, another object's lock, `acquire(blocking=False)` and `acquire`
with a timeout, what the inner function does only on a condition, since it may know that the lock is held, and functions
that give the lock back for a while.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix, Note
from conclint.program.contexts import site_place
from conclint.program.deadlocks import Again
from conclint.program.evidence import Evidence
from conclint.program.sections import steps_to
from conclint.program.triggers import held_locks
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for again in evidence.deadlocks.again():
        seen = again.under.seen
        yield Finding(
            seen.place,
            f"`{seen.text}` takes `{again.lock.text}` again, which this thread holds, and waits for ever; call it "
            "without the lock, or make it an RLock",
            notes=tuple(_notes(again)),
        )


def _notes(again: Again) -> Iterator[Note]:
    yield Note(site_place(again.lock.site), f"`{again.lock.text}` is taken here")
    yield from steps_to(again.path)
    yield Note(site_place(again.at.site), f"`{again.at.text}` is taken here again")


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.relock import reentrant

    return reentrant(source, finding.place.span)


RULE = Rule(
    code="CON409",
    name="lock-taken-again",
    triggers=held_locks(),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import threading

            class Account:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._balance = 0

                def pay(self, amount):
                    with self._lock:
                        if self.balance() >= amount:  # expect: CON409
                            self._balance -= amount

                def balance(self):
                    with self._lock:
                        return self._balance
            """,
            fixed="""
            import threading

            class Account:
                def __init__(self):
                    self._lock = threading.RLock()
                    self._balance = 0

                def pay(self, amount):
                    with self._lock:
                        if self.balance() >= amount:  # expect: CON409
                            self._balance -= amount

                def balance(self):
                    with self._lock:
                        return self._balance
            """,
        ),
        Bad("""
            from threading import Lock as Mutex

            guard = Mutex()
            names = {}

            def forget(name):
                guard.acquire()
                try:
                    names.pop(name, None)
                finally:
                    guard.release()

            def rename(old, new):
                with guard:
                    names[new] = names[old]
                    drop(old)  # expect: CON409

            def drop(name):
                forget(name)
            """),
        Bad("""
            import threading

            class Base:
                def __init__(self):
                    self.lock = threading.Lock()
                    self.changed = threading.Condition(self.lock)

                def notify(self):
                    with self.changed:
                        self.changed.notify_all()

            class Feed(Base):
                def __init__(self):
                    super().__init__()
                    self.items = []

                def add(self, item):
                    with self.lock:
                        self.items.append(item)
                        self.notify()  # expect: CON409
            """),
        Bad("""
            import threading

            class Basket:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._items = []

                @property
                def size(self):
                    with self._lock:
                        return len(self._items)

                def add(self, item):
                    with self._lock:
                        self._items.append(item)
                        return self.size  # expect: CON409
            """),
        Good("""
            import threading

            class Account:
                def __init__(self):
                    self._lock = threading.RLock()
                    self._balance = 0

                def pay(self, amount):
                    with self._lock:
                        if self.balance() >= amount:
                            self._balance -= amount

                def balance(self):
                    with self._lock:
                        return self._balance
            """),
        Good("""
            import threading

            class Account:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._balance = 0

                def move(self, other: "Account", amount):
                    with self._lock:
                        self._balance -= amount
                        other.put(amount)  # another one's lock

                def put(self, amount):
                    with self._lock:
                        self._balance += amount
            """),
        Good("""
            import threading

            class Cache:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._values = {}

                def get(self, key):
                    self._lock.acquire()
                    found = key in self._values
                    self._lock.release()
                    if not found:
                        self.fill(key)  # given back before
                    return self._values[key]

                def fill(self, key):
                    with self._lock:
                        self._values[key] = len(key)
            """),
        Good("""
            import threading

            class Log:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._lines = []

                def add(self, line):
                    with self._lock:
                        self._lines.append(line)
                        if len(self._lines) > 9:
                            self.flush(locked=True)

                def flush(self, locked=False):
                    if locked:
                        self._flush()
                    else:
                        with self._lock:
                            self._flush()

                def _flush(self):
                    self._lines.clear()
            """),
        Good("""
            import threading

            class Jobs:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._done = 0

                def start(self):
                    with self._lock:
                        thread = threading.Thread(target=self.finish, daemon=True)
                        thread.start()  # another thread takes it

                def finish(self):
                    with self._lock:
                        self._done += 1
            """),
        Good("""
            import threading

            class Tries:
                def __init__(self):
                    self._lock = threading.Lock()

                def outer(self):
                    with self._lock:
                        return self.inner()

                def inner(self):
                    if self._lock.acquire(blocking=False):
                        self._lock.release()
                        return True
                    return False
            """),
    ),
)
