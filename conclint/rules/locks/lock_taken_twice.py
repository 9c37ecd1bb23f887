"""This thread already holds the lock, and now waits for itself for ever.

A `threading.Lock` does not know who holds it. Whoever holds it and takes it again waits until it is released, which
only the waiting thread could do. Nothing ends this: no exception, no time limit; and every other thread that wants the
lock waits, too. The same holds for `multiprocessing.Lock` and `asyncio.Lock`.

Drop the inner `with`: the lock is held there. Where the inner part is also used alone, split it off into a function
that expects the lock to be held; only then is an `RLock` the better lock.

Not reported: `RLock`, a plain `Condition()` (which has an `RLock` inside) and semaphores, which may be taken several
times; locks of two different objects, or of one name that means another object meanwhile; a lock that is let go in
between; and functions inside, which run later.

https://docs.python.org/3/library/threading.html#rlock-objects
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import methods
from conclint.model import Finding, Fix, Note, Safety
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.locknested import Again
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.locknested import taken_again

    for again in taken_again(source):
        yield Finding(
            source.place(again.inner),
            f"`{again.text}` is held here already, so this waits for itself for ever; take it once",
            notes=(Note(source.place(again.outer), "it is taken here"),),
            fix=_dropped(source, again),
        )


def _dropped(source: Source, again: Again) -> Fix | None:
    """The inner block without its `with`."""
    from conclint.source.edits import unwrapped

    block = source.parent(again.inner)
    if not isinstance(block, cst.With) or len(block.items) != 1 or block.items[0].asname is not None:
        return None
    if source.parent(again.outer) is block:
        return None
    edit = unwrapped(source, block)
    return Fix("drop the inner `with`", (edit,), Safety.SAFE) if edit is not None else None


RULE = Rule(
    code="CON428",
    name="lock-taken-twice",
    triggers=calls(*methods("__enter__")),
    check=check,
    examples=(
        Bad(
            """
            import threading

            lock = threading.Lock()

            def work(jobs):
                with lock:
                    if jobs:
                        with lock:  # expect: CON428
                            # the next one
                            jobs.pop()

                            print('''
            popped
                            ''')
                    return len(jobs)
            """,
            fixed="""
            import threading

            lock = threading.Lock()

            def work(jobs):
                with lock:
                    if jobs:
                        # expect: CON428
                        # the next one
                        jobs.pop()

                        print('''
            popped
                            ''')
                    return len(jobs)
            """,
        ),
        Bad("""
            from multiprocessing import Lock as Guard

            class Store:
                def __init__(self, path):
                    self._guard = Guard()
                    self.path = path

                def save(self, rows):
                    with self._guard, open(self.path, "w") as file:
                        for row in rows:
                            file.write(row)
                            self._guard.acquire()  # expect: CON428
                            row.saved = True
            """),
        Bad("""
            import asyncio
            import threading

            class Client:
                def __init__(self, session):
                    self._busy = asyncio.Lock()
                    self._lock = threading.Lock()
                    self._changed = threading.Condition(self._lock)
                    self.session = session

                async def fetch(self, urls):
                    async with self._busy:
                        for url in urls:
                            async with self._busy:  # expect: CON428
                                await self.session.get(url)

                def change(self):
                    with self._lock:
                        with self._changed:  # expect: CON428
                            self._changed.notify_all()
            """),
        Good("""
            import threading

            class Node:
                def __init__(self, parent):
                    self.lock = threading.Lock()
                    self.shared = threading.RLock()
                    self.changed = threading.Condition()
                    self.slots = threading.Semaphore(2)
                    self.parent = parent

                def move(self, other, pool):
                    with self.lock:
                        with other.lock:
                            self.parent = other

                        def later():
                            with self.lock:
                                self.parent = None

                        pool.submit(later)
                    with self.shared, self.changed, self.slots:
                        with self.shared, self.changed, self.slots:
                            print(self)

                def climb(self, node):
                    with node.lock:
                        node = node.parent
                        with node.lock:
                            print(node)
                    for node in (self, self.parent):
                        with node.lock:
                            print(node)

                def pause(self, other):
                    with self.lock:
                        self.lock.release()
                        other.join()
                        self.lock.acquire()
            """),
        Good("""
            import threading

            first, second = threading.Lock(), threading.Lock()

            def work(job):
                with first:
                    with second:
                        job()
                with second:
                    pass

            def same(lock, job):
                with lock:
                    with lock:
                        job()
            """),
    ),
)
