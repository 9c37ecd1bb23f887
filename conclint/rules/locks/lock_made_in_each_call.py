"""Each call makes a lock of its own, so the calls do not keep each other out.

The lock is made in the function, held there and forgotten at its end. Two threads in this function hold two different
locks, and both are inside at the same time: what the lock was to protect is not protected.

Make the lock once, where every call finds the same one: at the top level of the module, in the class, or in
`__init__` as `self._lock`.

Not reported: locks that somebody else can get hold of, because they are returned, stored, passed on, or used by a
function inside this one (a worker that it starts); and tests.

https://docs.python.org/3/library/threading.html#lock-objects
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import STANDARD
from conclint.model import Edit, Finding, Fix, Note, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.locklocal import LocalLock
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.locklocal import local_locks

    for lock in local_locks(source):
        yield Finding(
            source.place(lock.made),
            f"each call makes its own `{lock.name}`, which keeps no other call out; make it once, outside",
            notes=(Note(source.place(lock.uses[0]), "nobody else can have this lock"),),
            fix=_hoisted(source, lock),
        )


def _hoisted(source: Source, lock: LocalLock) -> Fix | None:
    from conclint.source.lockhoist import lock_made_once

    line = source.statement(lock.made)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    number = source.line(line)
    text, comment = source.code(line.body[0]), source.text.lines[number - 1].strip()
    once = lock_made_once(source, lock.made, comment.removeprefix(text))
    if once is None or not comment.startswith(text):
        return None  # on several lines
    name, edit = once
    gone = Edit(Span(number, 1, number + 1, 1), "")
    renamed = (Edit(source.span(use), name) for use in lock.uses)
    return Fix(f"one `{name}` for all calls", (edit, gone, *renamed))


RULE = Rule(
    code="CON406",
    name="lock-made-in-each-call",
    triggers=calls(*STANDARD),
    check=check,
    examples=(
        Bad(
            """
            import threading

            state = {"n": 0}

            # Counts up.
            def inc():
                step = 1
                lock = threading.Lock()  # expect: CON406
                with lock:
                    state["n"] += step
            """,
            fixed="""
            import threading

            state = {"n": 0}

            _inc_lock = threading.Lock()  # expect: CON406

            # Counts up.
            def inc():
                step = 1
                with _inc_lock:
                    state["n"] += step
            """,
        ),
        Bad("""
            from threading import RLock

            class Store:
                def __init__(self):
                    self.rows = {}

                def put(self, key, row):
                    guard = RLock()  # expect: CON406
                    guard.acquire()
                    try:
                        self.rows[key] = row
                    finally:
                        guard.release()
            """),
        Bad("""
            import asyncio

            async def fetch_all(session, urls):
                slots = asyncio.Semaphore(5)  # expect: CON406
                pages = []
                for url in urls:
                    async with slots:
                        pages.append(await session.get(url))
                return pages
            """),
        Good("""
            import threading

            def run(jobs):
                lock = threading.Lock()
                done = []

                def work(job):
                    result = job()
                    with lock:
                        done.append(result)

                threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                with lock:
                    return done
            """),
        Good("""
            import threading

            class Store:
                def __init__(self):
                    lock = threading.Lock()
                    with lock:
                        self.rows = {}
                    self.lock = lock

            def make(registry, name):
                lock = threading.Lock()
                with lock:
                    registry.add(name, lock)

            def waiting():
                lock = threading.Lock()
                lock.acquire()
                lock.acquire()
            """),
        Good("""
            import asyncio

            async def fetch_all(session, urls):
                slots = asyncio.Semaphore(5)

                async def fetch(url):
                    async with slots:
                        return await session.get(url)

                return await asyncio.gather(*map(fetch, urls))
            """),
    ),
)
