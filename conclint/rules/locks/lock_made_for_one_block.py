"""A lock that nobody else can have keeps nobody out.

`with threading.Lock():` makes a new lock each time it runs, takes it and throws it away. Two threads that come by each
hold a lock of their own, and both go in. The same holds for a semaphore: `async with asyncio.Semaphore(10):` limits
nothing.

Make the lock once, where everybody who must be kept out finds the same one: at the top level of the module beside the
state, in the class, or in `__init__` as `self._lock`.

Not reported: locks with a name that others know too, such as a lock file's; and tests.

https://docs.python.org/3/library/threading.html#lock-objects
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import STANDARD
from conclint.model import Edit, Finding, Fix
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.locklocal import makes_lock
    from conclint.source.testcode import in_test

    for item in source.all(cst.WithItem):
        call = item.item
        if isinstance(call, cst.Call) and makes_lock(source, call) and not in_test(source, call):
            yield Finding(
                source.place(call),
                f"each call makes its own `{source.code(call)}` here and keeps nobody out; make it once, outside",
                fix=_hoisted(source, item, call),
            )


def _hoisted(source: Source, item: cst.WithItem, call: cst.Call) -> Fix | None:
    from conclint.source.lockhoist import lock_made_once

    once = lock_made_once(source, call) if item.asname is None else None
    if once is None:
        return None
    name, edit = once
    return Fix(f"one `{name}` for all calls", (edit, Edit(source.span(call), name)))


RULE = Rule(
    code="CON405",
    name="lock-made-for-one-block",
    triggers=calls(*STANDARD),
    check=check,
    examples=(
        Bad(
            """
            import threading

            state = {"n": 0}


            def inc():
                with threading.Lock():  # expect: CON405
                    state["n"] += 1
            """,
            fixed="""
            import threading

            state = {"n": 0}


            _inc_lock = threading.Lock()


            def inc():
                with _inc_lock:  # expect: CON405
                    state["n"] += 1
            """,
        ),
        Bad(
            """
            import asyncio
            from asyncio import Semaphore as Slots

            class Client:
                def __init__(self, session):
                    self.session = session

                async def fetch(self, url):
                    async with Slots(10):  # expect: CON405
                        return await self.session.get(url)
            """,
            fixed="""
            import asyncio
            from asyncio import Semaphore as Slots

            _fetch_slots = Slots(10)

            class Client:
                def __init__(self, session):
                    self.session = session

                async def fetch(self, url):
                    async with _fetch_slots:  # expect: CON405
                        return await self.session.get(url)
            """,
        ),
        Bad("""
            import multiprocessing as mp
            from _thread import allocate_lock

            def append(path, row):
                with open(path, "a") as file, mp.Lock():  # expect: CON405
                    file.write(row)

            def once(work):
                with allocate_lock():  # expect: CON405
                    work()
            """),
        Good("""
            import threading

            from filelock import FileLock

            _lock = threading.Lock()

            def inc(state, path):
                with _lock:
                    state.n += 1
                with FileLock(path):
                    state.save(path)
            """),
        Good("""
            import threading

            _locks = {}

            def lock_of(key):
                return _locks.setdefault(key, threading.Lock())

            def inc(state, key):
                with lock_of(key):
                    state[key] += 1
                with _locks.setdefault(key, threading.Lock()):
                    state[key] += 1
            """),
    ),
)
