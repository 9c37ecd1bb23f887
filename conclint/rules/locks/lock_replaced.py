"""A new lock takes the place of one that others may hold or wait for, so two threads can be inside at once.

Whoever holds the old lock goes on in the belief that nobody else can come in, while the next thread takes the new one,
which is free. Whoever waits for the old one, or for a condition made of it, may wait for ever.

A lock that is made where it is first needed has the same fault: of two threads that find none each makes its own, and
both are inside.

Make the lock once, in `__init__` or at the top level, and never assign to it again. To reset what it protects, hold it.
For a lock per key, make it only where there is none: `locks.setdefault(key, threading.Lock())`.

Not reported: objects that are being made, copied or unpickled; methods that begin the work (`start`, `open`, …); a new
process after `fork`; a lock that is made under another one where there is none; an item of a container
where nothing says that the key may be known already; and tests. A lock of asyncio, which comes with a new loop, is
shown to those who select CON419.

https://docs.python.org/3/library/threading.html#lock-objects
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.locks import STANDARD
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.evidence import Evidence
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.lockagain import replaced_locks
    from conclint.source.locklazy import lazy_locks

    for made, text in lazy_locks(source):
        said = f"two threads that first need `{text}` at once make one each, and neither keeps the other out"
        yield Finding(source.place(made), f"{said}; make it in `__init__` or at the top level")
    for found in replaced_locks(source):
        notes = (Note(source.place(found.first), "the first one is made here"),) if found.first is not None else ()
        yield Finding(
            source.place(found.made),
            f"this replaces `{found.text}` while others may hold or await the old one; make it once",
            notes=notes,
            # Locks of tasks belong to one loop: a new one comes with the next loop.
            when_asked=any(name.startswith("asyncio.") for name in source.names(found.made.func)),
        )


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for found in evidence.module_locks.replaced():
        said = f"this replaces `{found.text}` while others may hold or await the old one; make it once"
        yield Finding(found.place, said, (Note(found.made, "the first one is made here"),))


RULE = Rule(
    code="CON419",
    name="lock-replaced",
    triggers=calls(*STANDARD),
    check=check,
    conclude=conclude,
    examples=(
        Bad("""
            import threading

            class Store:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.items = []

                def put(self, item):
                    with self._lock:
                        self.items.append(item)

                def reset(self):
                    self._lock = threading.Lock()  # expect: CON419
                    self.items.clear()
            """),
        Bad("""
            from threading import Condition as Cond, RLock

            _lock = RLock()
            _seen = {}

            def add(key):
                with _lock:
                    _seen[key] = True

            def clear():
                global _lock
                _lock = RLock()  # expect: CON419
                _seen.clear()

            class Gate:
                changed = Cond()

                def enter(self):
                    with self.changed:
                        self.changed.wait()

                def close(self):
                    with self.changed:
                        self.changed.notify_all()
                        self.changed = Cond()  # expect: CON419
            """),
        Bad("""
            import threading

            def serve(data, updates):
                def request(robot):
                    if robot not in data["count"]:
                        data["count"][robot] = 0
                    data["count"][robot] += 1
                    data["locks"][robot] = {"lock": threading.Lock()}  # expect: CON419
                    with data["locks"][robot]["lock"]:
                        return updates(robot)

                return request
            """),
        Bad("""
            import threading
            from threading import RLock

            class Pool:
                _lock = None

                def _guarding(self):
                    try:
                        self._guard
                    except AttributeError:
                        self._guard = RLock()  # expect: CON419
                    return self._guard

                @classmethod
                def take(cls):
                    if cls._lock is None:
                        cls._lock = threading.Lock()  # expect: CON419
                    with cls._lock:
                        return 1
            """),
        Good("""
            import threading

            _making = threading.Lock()

            class Pool:
                def __init__(self, lock=None):
                    if lock is None:
                        lock = threading.Lock()
                    self._lock = lock
                    self._guard = None

                def take(self, lock=None):
                    if lock is None:
                        lock = threading.Lock()
                    with _making:
                        if self._guard is None:
                            self._guard = threading.Lock()
                    with self._guard, self._lock:
                        return lock
            """),
        Good("""
            import os
            import threading
            import weakref

            class Store:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._pid = os.getpid()
                    self.items = []
                    self._renew()
                    os.register_at_fork(after_in_child=self.renew_all)
                    again = weakref.WeakMethod(self.reset_state)
                    os.register_at_fork(before=lambda: again()())

                def __setstate__(self, state):
                    self.__dict__.update(state)
                    self._lock = threading.Lock()

                def _renew(self):
                    self._lock = threading.Lock()

                def renew_all(self):
                    self._lock = threading.Lock()

                def reset_state(self):
                    self._lock = threading.Lock()

                def start(self):
                    self._lock = threading.Lock()

                def put(self, item):
                    if os.getpid() != self._pid:
                        self._lock = threading.Lock()
                    with self._lock:
                        self.items.append(item)

                def ensure(self):
                    try:
                        self._lock
                        return
                    except AttributeError:
                        pass
                    self._lock = threading.Lock()

                def reset(self):
                    with self._lock:
                        self.items.clear()
            """),
        Good("""
            import threading

            class Rows:
                def __init__(self):
                    self.rows = {}
                    self.locks = {}

                def load(self, names):
                    self._lock = threading.Lock()
                    with self._lock:
                        for name in names:
                            self.locks[name] = threading.Lock()

                def lock_for(self, name):
                    if name not in self.locks:
                        self.locks[name] = threading.Lock()
                    return self.locks[name]

                def fresh(self, names):
                    locks = {}
                    for name in names:
                        if name in self.rows:
                            locks[name] = threading.Lock()
                    return locks
            """),
    ),
)
