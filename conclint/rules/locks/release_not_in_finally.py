"""An exception between `acquire()` and `release()` leaves the lock held for ever.

`release()` is reached only when nothing in between raises. After an exception (or Ctrl-C, or a cancelled task) the lock
stays taken: every other thread that wants it waits for ever, and so does this one when it comes by again.

Write `with lock:` (`async with lock:` for asyncio): it releases on every way out, and shows what the lock covers. Where
`with` does not fit, begin a `try` straight after `acquire()` and release in its `finally`.

Not reported: what a `finally` or an `except` releases; locks taken in one function and released in another on purpose;
moves of plain values; objects that have an `acquire` but are not known to be locks; tests. Shown to those who
select CON401: `if lock is not None: lock.acquire()`, and what hardly fails: `condition.wait()`, counting, copying.

https://docs.python.org/3/library/threading.html#using-locks-conditions-and-semaphores-in-the-with-statement
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import methods
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.lockuse import LockCall
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.lockleaks import leaks
    from conclint.source.locklocal import local_locks
    from conclint.source.lockrisk import is_plain
    from conclint.source.lockwith import hold_with

    found = [leak for leak in leaks(source) if leak.risky is not None]
    # Nobody can wait for a lock that belongs to one call: CON406 speaks of it.
    own = {source.line(use) for lock in local_locks(source) for use in lock.uses} if found else set()
    for leak in (one for one in found if source.line(one.taken.call) not in own):
        if leak.risky is not None and not _is_of_manager(source, leak.risky):
            yield Finding(
                source.place(leak.taken.call),
                f"`{leak.taken.text}` stays held when an exception comes before its release; {leak.advice(source)}",
                notes=(Note(source.place(leak.risky), "this may raise"),),
                fix=hold_with(source, leak.taken),
                when_asked=_is_optional(source, leak.taken) or is_plain(source, leak.risky),
            )


def _is_optional(source: Source, taken: LockCall) -> bool:
    """`if lock is not None: lock.acquire()`: `with` does not fit, and its author has thought of when it is held."""
    tests = (outer.test for outer in source.ancestors(taken.call) if isinstance(outer, cst.If))
    return any(source.code(test) in (taken.text, f"{taken.text} is not None") for test in tests)


def _is_of_manager(source: Source, risky: cst.CSTNode) -> bool:
    """The `yield` of a context manager, of which CON219 speaks."""
    from conclint.source.managers import manager

    return isinstance(risky, cst.Yield) and manager(source, risky) is not None


RULE = Rule(
    code="CON401",
    name="release-not-in-finally",
    triggers=calls(*methods("acquire", "release")),
    check=check,
    examples=(
        Bad(
            """
            import threading

            lock = threading.Lock()
            totals = {}

            def add(key, value):
                lock.acquire()  # expect: CON401
                totals[key] = totals[key] + value
                lock.release()
            """,
            fixed="""
            import threading

            lock = threading.Lock()
            totals = {}

            def add(key, value):
                with lock:  # expect: CON401
                    totals[key] = totals[key] + value
            """,
        ),
        Bad(
            """
            from threading import RLock as Guard

            class Store:
                def __init__(self, path):
                    self._guard = Guard()
                    self.path = path

                def save(self, rows):
                    if rows:
                        self._guard.acquire()  # expect: CON401
                        # one line for each row
                        with open(self.path, "w") as file:
                            for row in rows:
                                file.write(row)

                        # all written
                        self._guard.release()
                    return len(rows)
            """,
            fixed="""
            from threading import RLock as Guard

            class Store:
                def __init__(self, path):
                    self._guard = Guard()
                    self.path = path

                def save(self, rows):
                    if rows:
                        with self._guard:  # expect: CON401
                            # one line for each row
                            with open(self.path, "w") as file:
                                for row in rows:
                                    file.write(row)
                            # all written
                    return len(rows)
            """,
        ),
        Bad(
            """
            import asyncio

            class Client:
                def __init__(self, writer):
                    self.writer = writer
                    self.sending = asyncio.Lock()

                async def send(self, data):
                    await self.sending.acquire()  # expect: CON401
                    self.writer.write(data)
                    await self.writer.drain()
                    self.sending.release()
            """,
            fixed="""
            import asyncio

            class Client:
                def __init__(self, writer):
                    self.writer = writer
                    self.sending = asyncio.Lock()

                async def send(self, data):
                    async with self.sending:  # expect: CON401
                        self.writer.write(data)
                        await self.writer.drain()
            """,
        ),
        Bad(
            """
            import multiprocessing

            def work(lock: multiprocessing.Lock, path, row):
                lock.acquire()  # expect: CON401
                try:
                    with open(path, "a") as file:
                        file.write(row)
                    lock.release()
                except OSError as error:
                    print(error)
            """
        ),
        Bad("""
            import threading

            class Counter:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.seen = {}

                def count(self, rows):
                    self._lock.acquire()  # expect: CON401
                    for row in rows:
                        self.seen[row] = self.seen.get(row, 0) + 1
                    self._unlock()

                def _unlock(self):
                    self._lock.release()
            """),
        Bad("""
            from threading import Lock

            class Poller:
                def __init__(self, poll):
                    self._busy = Lock()
                    self._poll = poll

                def poll(self):
                    if self._busy.acquire(blocking=False):  # expect: CON401
                        self._poll()
                        self._busy.release()

                def poll_now(self):
                    if not self._busy.acquire(timeout=5):  # expect: CON401
                        raise TimeoutError
                    found = self._poll()
                    self._busy.release()
                    return found
            """),
        Good("""
            import threading

            busy = threading.Lock()

            def poll(ask):
                if busy.acquire(blocking=False):
                    try:
                        ask()
                    finally:
                        busy.release()
                if not busy.acquire(timeout=1):
                    print("busy")
                    return None
                try:
                    return ask()
                finally:
                    busy.release()
            """),
        Good("""
            import threading

            lock = threading.Lock()

            def add(totals, key, value):
                lock.acquire()
                try:
                    totals[key] = totals[key] + value
                finally:
                    lock.release()
            """),
        Good("""
            import threading

            lock = threading.Lock()

            def add(totals, key, value):
                lock.acquire()
                started = key
                try:
                    totals[started] = totals[started] + value
                except BaseException:
                    lock.release()
                    raise
                else:
                    lock.release()
            """),
        Good("""
            import threading

            class Reader:
                def __init__(self, file):
                    self._lock = threading.Lock()
                    self.file = file

                def read(self):
                    self._lock.acquire()
                    try:
                        return self.file.read()
                    finally:
                        self._done()

                def _done(self):
                    self._lock.release()

                def poll(self):
                    if not self._lock.acquire(blocking=False):
                        return None
                    try:
                        return self.file.read()
                    finally:
                        self._lock.release()

                def wait_for(self, other):
                    with self._lock:
                        self._lock.release()
                        other.join()
                        self._lock.acquire()
                        print(other)
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            class Bounded:
                def __init__(self):
                    self.pool = ThreadPoolExecutor()
                    self.slots = threading.BoundedSemaphore(8)

                def submit(self, job):
                    self.slots.acquire()
                    try:
                        future = self.pool.submit(job)
                    except RuntimeError:
                        self.slots.release()
                        raise
                    future.add_done_callback(lambda _: self.slots.release())
                    return future
            """),
        Good("""
            import threading

            class Requests:
                def __init__(self, link):
                    self._lock = threading.Lock()
                    self.link = link

                def send(self, packet):
                    self._lock.acquire()
                    if self.link.up:
                        self.link.send(packet)
                    else:
                        self._lock.release()

                def answered(self, packet):
                    self._lock.release()
            """),
        Good("""
            class Page:
                def acquire(self):
                    print("mine")

                def release(self):
                    print("yours")

            def work(page: Page, other):
                page.acquire()
                print(page)
                page.release()
                other.acquire()
                print(other)
                other.release()
            """),
    ),
)
