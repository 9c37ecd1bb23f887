"""This way out of the function leaves the lock held, for ever.

The function takes a lock and releases it at its end, but a `return`, `raise` or `continue` on the way goes past the
`release()`. Whoever wants the lock next waits for ever, be it another thread or the same one in its next round.

Write `with lock:` (`async with` for asyncio) around what the lock protects: it releases on every way out, those that
someone adds later included. `try` … `finally` straight after `acquire()` does the same.

Not reported: ways out behind a `release()` of their own, or inside a `try` whose `finally` releases; functions that
hand the lock to their caller, because they end with it held or because another function of the file releases it;
locks released by a callback; and tests.

https://docs.python.org/3/library/threading.html#using-locks-conditions-and-semaphores-in-the-with-statement
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.locks import methods
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.lockleaks import leaks
    from conclint.source.lockwith import hold_with

    for leak in leaks(source):
        if leak.exits:
            first, *others = leak.exits
            taken = Note(source.place(leak.taken.call), f"`{leak.taken.text}` is taken here")
            also = (Note(source.place(one.node), "and here it is not released either") for one in others)
            yield Finding(
                source.place(first.node),
                f"`{leak.taken.text}` stays held after this `{first.kind}`; {leak.advice(source)}, or release it first",
                notes=(taken, *also),
                fix=hold_with(source, leak.taken),
            )


RULE = Rule(
    code="CON402",
    name="early-exit-without-release",
    triggers=calls(*methods("acquire", "release")),
    check=check,
    examples=(
        Bad(
            """
            import threading

            lock = threading.Lock()
            jobs = []

            def take(ready):
                lock.acquire()
                if not ready:
                    return None  # expect: CON402
                job = jobs.pop()
                lock.release()
                return job
            """,
            fixed="""
            import threading

            lock = threading.Lock()
            jobs = []

            def take(ready):
                with lock:
                    if not ready:
                        return None  # expect: CON402
                    job = jobs.pop()
                return job
            """,
        ),
        Bad(
            """
            import threading as t

            class Table:
                def __init__(self):
                    self._mutex = t.Lock()
                    self.rows = {}

                def update(self, changes):
                    for key, value in changes:
                        self._mutex.acquire()
                        if key not in self.rows:
                            continue  # expect: CON402
                        self.rows[key] = value
                        self._mutex.release()

                def remove(self, key):
                    self._mutex.acquire()
                    if key not in self.rows:
                        self._mutex.release()
                        return False
                    row = self.rows.pop(key)
                    if row is None:
                        raise ValueError(key)  # expect: CON402
                    self._mutex.release()
                    return True
            """,
            fixed="""
            import threading as t

            class Table:
                def __init__(self):
                    self._mutex = t.Lock()
                    self.rows = {}

                def update(self, changes):
                    for key, value in changes:
                        with self._mutex:
                            if key not in self.rows:
                                continue  # expect: CON402
                            self.rows[key] = value

                def remove(self, key):
                    with self._mutex:
                        if key not in self.rows:
                            return False
                        row = self.rows.pop(key)
                        if row is None:
                            raise ValueError(key)  # expect: CON402
                    return True
            """,
        ),
        Bad("""
            import asyncio

            class Session:
                def __init__(self):
                    self._lock = asyncio.Lock()
                    self.closed = False

                async def fetch(self, url):
                    await self._lock.acquire()
                    try:
                        if self.closed:
                            return None  # expect: CON402
                        reply = await self.get(url)
                    except OSError:
                        self._unlock()
                        raise
                    self._unlock()
                    return reply

                def _unlock(self):
                    self._lock.release()
            """),
        Good("""
            import threading

            lock = threading.Lock()
            jobs = []

            def take(ready):
                lock.acquire()
                try:
                    if not ready:
                        return None
                    return jobs.pop()
                finally:
                    lock.release()

            def peek():
                lock.acquire()
                if not jobs:
                    lock.release()
                    return None
                job = jobs[-1]
                lock.release()
                return job
            """),
        Good("""
            import threading

            class Slot:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.value = None

                def begin(self, value):
                    self._lock.acquire()
                    if value is not None:
                        self.value = value
                        return True
                    self._lock.release()
                    return False

                def finish(self):
                    self._lock.release()
            """),
        Good("""
            import threading

            class Slot:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.free = True

                def begin(self):
                    self._lock.acquire()
                    if not self.free:
                        self._lock.release()
                        raise RuntimeError("not free")
                    self.free = False

                def watch(self, jobs):
                    while True:
                        self._lock.acquire()
                        for job in jobs:
                            if job.done:
                                break
                        else:
                            self._lock.release()
                            return
                        self._lock.release()
            """),
    ),
)
