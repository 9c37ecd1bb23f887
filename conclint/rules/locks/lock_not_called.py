"""This line only names the lock or its method: the lock is neither taken nor released.

`lock.acquire` without `()` evaluates to a method and throws it away; the code that follows runs without the lock, and
after a `lock.release` nobody else ever gets it. As a test, `if lock.locked:` is always true. `with lock.acquire():`
takes the lock and then raises a `TypeError`, since what `acquire()` returns is a `bool`: the lock stays taken.

Write `lock.acquire()`, or `with lock:`.

Not reported: a bare name in a `try`, which looks whether there is a lock yet; `acquire` of lock
types that returns something for `with` (filelock, portalocker, redis); and methods that are passed on to be called.

https://docs.python.org/3/library/threading.html#using-locks-conditions-and-semaphores-in-the-with-statement
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import STANDARD, methods
from conclint.model import Edit, Finding, Fix
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

CALLED = ("acquire", "release", "locked")
NOTIFYING = ("notify", "notify_all", "wait")
TESTS = (cst.If, cst.While, cst.IfExp, cst.Assert)


def check(source: Source) -> Iterator[Finding]:
    for statement in source.all(cst.Expr):
        if not _probes(source, statement):
            yield from _dropped(source, statement.value)
    for attribute in source.all(cst.Attribute):
        if attribute.attr.value in CALLED and _is_lock(source, attribute.value) and _is_tested(source, attribute):
            text = source.code(attribute)
            yield Finding(
                source.place(attribute),
                f"`{text}` is a method, and always true; call it: `{text}()`",
                fix=_call(source, attribute),
            )
    for item in source.all(cst.WithItem):
        yield from _entered(source, item)


def _is_lock(source: Source, node: cst.BaseExpression) -> bool:
    from conclint.source.lockuse import STANDARD_ROOTS, lock_types

    types = lock_types(source, node)
    return bool(types) and all(name.startswith(STANDARD_ROOTS) for name in types)


def _probes(source: Source, statement: cst.Expr) -> bool:
    """`try: self._lock` … `except AttributeError`: whether there is one."""
    block = source.parent(source.statement(statement))
    around = source.parent(block) if block is not None else None
    return isinstance(around, cst.Try) and block is around.body and bool(around.handlers)


def _call(source: Source, attribute: cst.Attribute) -> Fix:
    text = source.code(attribute)
    return Fix(f"call `{text}`", (Edit(source.span(attribute), f"{text}()"),))


def _dropped(source: Source, value: cst.BaseExpression) -> Iterator[Finding]:
    text = source.code(value)
    methods = (*CALLED, *NOTIFYING)
    if isinstance(value, cst.Attribute) and value.attr.value in methods and _is_lock(source, value.value):
        yield Finding(
            source.place(value),
            f"this does not call `{text}`; write `{text}()`",
            fix=_call(source, value) if value.attr.value != "locked" else None,
        )
    elif isinstance(value, (cst.Name, cst.Attribute)) and _is_lock(source, value):
        yield Finding(source.place(value), f"this does not take `{text}`; write `with {text}:`")


def _is_tested(source: Source, attribute: cst.Attribute) -> bool:
    """Whether it is asked for its truth, alone or as part of a condition."""
    inner: cst.CSTNode = attribute
    for outer in source.ancestors(attribute):
        if isinstance(outer, TESTS):
            return outer.test is inner
        if not isinstance(outer, (cst.BooleanOperation, cst.UnaryOperation)):
            return False
        inner = outer
    return False


def _entered(source: Source, item: cst.WithItem) -> Iterator[Finding]:
    """`with lock.acquire():`, `with lock.acquire:`."""
    from conclint.source.lockuse import surely_waits

    value = item.item.expression if isinstance(item.item, cst.Await) else item.item
    called = isinstance(value, cst.Call)
    func = value.func if isinstance(value, cst.Call) else value
    if not isinstance(func, cst.Attribute) or func.attr.value != "acquire" or not _is_lock(source, func.value):
        return
    text = source.code(func.value)
    waits = not isinstance(value, cst.Call) or surely_waits(value)
    what = "what `acquire()` returns cannot be entered" if called else "`acquire` itself cannot be entered"
    fix = Fix(f"`with {text}`", (Edit(source.span(item.item), text),)) if waits and item.asname is None else None
    yield Finding(source.place(value), f"{what}, so `with` raises; write `with {text}:`", fix=fix)


RULE = Rule(
    code="CON407",
    name="lock-not-called",
    triggers=replace(
        calls(*STANDARD, *methods("acquire", "release", "__enter__")), mentioned=frozenset({*CALLED, *NOTIFYING})
    ),
    check=check,
    examples=(
        Bad(
            """
            import threading

            lock = threading.Lock()

            def work(job):
                lock.acquire  # expect: CON407
                job()
                lock.release()

            def other(job):
                with lock.acquire():  # expect: CON407
                    job()
            """,
            fixed="""
            import threading

            lock = threading.Lock()

            def work(job):
                lock.acquire()  # expect: CON407
                job()
                lock.release()

            def other(job):
                with lock:  # expect: CON407
                    job()
            """,
        ),
        Bad("""
            from multiprocessing import RLock

            class Store:
                def __init__(self):
                    self._guard = RLock()
                    self.rows = []

                def put(self, row):
                    self._guard.acquire()
                    try:
                        self.rows.append(row)
                    finally:
                        self._guard.release  # expect: CON407

                def get(self):
                    self._guard  # expect: CON407
                    with self._guard.acquire(timeout=5):  # expect: CON407
                        return self.rows.pop()
            """),
        Bad(
            """
            import asyncio

            class Client:
                def __init__(self, session):
                    self._busy = asyncio.Lock()
                    self.session = session

                async def fetch(self, url):
                    if not self._busy.locked and url:  # expect: CON407
                        print("free")
                    async with self._busy.acquire():  # expect: CON407
                        return await self.session.get(url)
            """,
            fixed="""
            import asyncio

            class Client:
                def __init__(self, session):
                    self._busy = asyncio.Lock()
                    self.session = session

                async def fetch(self, url):
                    if not self._busy.locked() and url:  # expect: CON407
                        print("free")
                    async with self._busy:  # expect: CON407
                        return await self.session.get(url)
            """,
        ),
        Good("""
            import atexit
            import threading

            import portalocker
            from filelock import FileLock

            lock = threading.Lock()

            def work(job, path):
                with FileLock(path).acquire(timeout=5):
                    job()
                files = FileLock(path)
                with files.acquire(timeout=5):
                    job()
                with portalocker.Lock(path).acquire() as file:
                    job(file)
                lock.acquire()
                atexit.register(lock.release)
                release = lock.release
                return release if lock else None
            """),
        Good("""
            class Page:
                def acquire(self):
                    return self

                def __enter__(self):
                    return self

                def __exit__(self, *exc):
                    print("done")

            def work(page: Page, other):
                with page.acquire():
                    print(page)
                with other.acquire():
                    other.release
            """),
        Good("""
            import threading

            class Store:
                _lock: threading.Lock
                rows: list

                def __init__(self):
                    self._lock = threading.Lock()
                    self.rows = []
                    if self._lock is not None and not self._lock.locked():
                        print("free")

                def open(self):
                    try:
                        self._lock
                    except AttributeError:
                        self._lock = threading.Lock()
            """),
    ),
)
