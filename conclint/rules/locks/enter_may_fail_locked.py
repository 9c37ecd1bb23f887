"""When this raises after it took the lock, nobody releases it: `__exit__` runs only after an `__enter__` that returned.

`__enter__` (or an `acquire` of a class's own) takes a lock and then does more, which may fail. The caller of a failed
`__enter__` has nothing to leave, and the caller of a failed `acquire` nothing to release: the lock stays held.

Do what may fail first, and take the lock last; or release it again on the way out: `except BaseException:
self._lock.release(); raise`. With several things to enter, `contextlib.ExitStack` and its `pop_all()` do this.

Not reported: methods that take the lock last, or do nothing behind it that fails in practice (remembering who took
it, counting, logging); a failure that a `try` takes care of; and tests. Shown to those who select CON429:
`condition.wait()` of threads, which hardly fails.

https://docs.python.org/3/reference/datamodel.html#with-statement-context-managers
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import methods
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

# What is called so leaves the lock held for its caller.
TAKES = re.compile(r"^(?:__a?enter__|_*(?:acquire|lock|enter)(?:_.*)?)$")


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.lockleaks import handed_out
    from conclint.source.lockrisk import is_plain

    for taken, risky in handed_out(source):
        function = source.function_node(taken.call)
        if isinstance(function, cst.FunctionDef) and TAKES.search(function.name.value):
            yield Finding(
                source.place(taken.call),
                f"`{taken.text}` stays held when `{function.name.value}` fails after this; take it last, or release it "
                "when the rest fails",
                notes=(Note(source.place(risky), "this may raise"),),
                when_asked=is_plain(source, risky),
            )


RULE = Rule(
    code="CON429",
    name="enter-may-fail-locked",
    triggers=calls(*methods("acquire")),
    check=check,
    examples=(
        Bad("""
            import threading

            class Journal:
                def __init__(self, path):
                    self._lock = threading.Lock()
                    self.path = path

                def __enter__(self):
                    self._lock.acquire()  # expect: CON429
                    self.file = open(self.path)
                    return self

                def __exit__(self, *exc):
                    self.file.close()
                    self._lock.release()
            """),
        Bad("""
            import asyncio

            class Connection:
                def __init__(self, connect):
                    self._busy = asyncio.Lock()
                    self._connect = connect
                    self.closed = False

                async def __aenter__(self):
                    await self._busy.acquire()  # expect: CON429
                    try:
                        self.link = await self._connect()
                    except TimeoutError:
                        print("too late")
                        raise
                    return self.link

                async def __aexit__(self, *exc):
                    self._busy.release()

                async def acquire(self):
                    await self._busy.acquire()  # expect: CON429
                    if self.closed:
                        raise RuntimeError("closed")
                    return True

                def release(self):
                    self._busy.release()
            """),
        Bad("""
            from multiprocessing import RLock as Guard

            class Shared:
                def __init__(self, store):
                    self._guard = Guard()
                    self.store = store

                def lock_row(self, key):
                    self._guard.acquire()  # expect: CON429
                    row = self.store.load(key)
                    return row

                def unlock_row(self, key):
                    self._guard.release()
            """),
        Good("""
            import threading
            import time

            class Journal:
                def __init__(self, path):
                    self._lock = threading.Lock()
                    self.path = path
                    self.owner = None

                def __enter__(self):
                    self.file = open(self.path)
                    self._lock.acquire()
                    self.owner = threading.get_ident()
                    self.since = time.monotonic()
                    return self

                def __exit__(self, *exc):
                    self.owner = None
                    self._lock.release()

                def acquire(self):
                    self._lock.acquire()
                    try:
                        self.file = open(self.path)
                    except OSError:
                        self._lock.release()
                        raise
                    return self.file

                def begin(self, job):
                    self._lock.acquire()
                    job.prepare()
            """),
    ),
)
