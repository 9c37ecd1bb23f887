"""An exception in the `with` block comes out of this `yield`, and what stands behind it never runs.

`@contextmanager` throws the exception of the block into the generator, at its `yield`. Without a `try` around that, the
generator ends there: the lock stays taken, the thread goes on, the pool stays open, and that on just those days on
which something else went wrong already.

Put the `yield` into a `try`, and what must happen in any case into its `finally`; or use `with` inside the manager.

Not reported: a `yield` inside `try`; locks that may stay held even before the `yield` (CON401); managers that end
nothing that is known to run or to be held; and fixtures of pytest, into which no exception is thrown.

The fix makes the `try` where nothing but the ending follows; it is applied with `--unsafe-fixes` only.

See https://docs.python.org/3/library/contextlib.html#contextlib.contextmanager
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.handles import ENDS
from conclint.model import Edit, Finding, Fix, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

BEGINS = frozenset({"acquire", "start"})


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.managers import skipped

    for node in source.all(cst.Yield):
        ending = next(skipped(source, node), None)
        begin = _begin(source, node, ending) if ending is not None else None
        if ending is not None and not (begin is not None and _of_lock(source, node, begin)):
            text = source.code(ending)
            message = f"an exception in the `with` block comes out of this `yield`, and `{text}` never runs"
            notes = (Note(source.place(ending), "not reached then"),)
            fix = _tried(source, node)
            yield Finding(source.place(begin or node), f"{message}; put it into a `finally`", notes, fix)


def _begin(source: Source, node: cst.Yield, ending: cst.Call) -> cst.Call | None:
    """Where what is ended begins, in the block of the `yield`."""
    owner = path_of(ending.func).rpartition(".")[0]
    for one in _before(source, node):
        for part in below(one):
            if isinstance(part, cst.Call) and path_of(part.func) in {f"{owner}.{name}" for name in BEGINS}:
                return part
    return None


def _before(source: Source, node: cst.Yield) -> list[cst.CSTNode]:
    """The statements of its block up to the `yield`."""
    statement = source.statement(node)
    block = source.parent(statement)
    body = list(block.body) if isinstance(block, cst.IndentedBlock) else []
    return [one for one in body if source.sequence(one) < source.sequence(statement)]


def _of_lock(source: Source, node: cst.Yield, begin: cst.Call) -> bool:
    """Whether the lock can be left held even before the `yield`, of which CON401 speaks."""
    taken = source.statement(begin)
    between = [one for one in _before(source, node) if source.sequence(one) > source.sequence(taken)]
    risky = any(isinstance(part, cst.Call) for one in between for part in below(one))
    return risky and path_of(begin.func).endswith(".acquire")


def _tried(source: Source, node: cst.Yield) -> Fix | None:
    """`try: yield` and the rest in `finally`, where the rest does nothing but end things."""
    from conclint.source.edits import indent_unit, lines_of, shifted
    from conclint.source.managers import following_of

    following, statement = following_of(source, node), source.statement(node)
    plain = all(_is_call(one) for one in following)
    if not plain or not following or not isinstance(statement, cst.SimpleStatementLine):
        return None
    indent, unit = source.indent(statement), indent_unit(source, statement)
    span = lines_of(source, statement, following[-1])
    lines = [
        f"{indent}try:",
        shifted(source, statement, statement, unit),
        f"{indent}finally:",
        shifted(source, following[0], following[-1], unit),
    ]
    between = lines_of(source, following[0], following[0]).line - lines_of(source, statement, statement).end_line
    if between != 1:
        return None  # comments or empty lines: whose are they?
    return Fix("put what follows into a `finally`", (Edit(span, "\n".join(lines)),))


def _is_call(statement: cst.BaseStatement) -> bool:
    parts = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    return bool(parts) and all(isinstance(one, cst.Expr) for one in parts)


RULE = Rule(
    code="CON219",
    name="unprotected-yield",
    triggers=calls(*ENDS),
    check=check,
    examples=(
        Bad(
            """
            import threading
            from contextlib import contextmanager

            lock = threading.Lock()

            @contextmanager
            def guarded(name):
                lock.acquire()  # expect: CON219
                yield name
                lock.release()
            """,
            fixed="""
            import threading
            from contextlib import contextmanager

            lock = threading.Lock()

            @contextmanager
            def guarded(name):
                lock.acquire()  # expect: CON219
                try:
                    yield name
                finally:
                    lock.release()
            """,
        ),
        Bad("""
            import contextlib
            import threading
            from concurrent.futures import ThreadPoolExecutor

            class Poller:
                def __init__(self):
                    self._stop = threading.Event()

                def poll(self):
                    while not self._stop.wait(1):
                        print("polling")

                @contextlib.contextmanager
                def running(self):
                    thread = threading.Thread(target=self.poll)
                    thread.start()
                    yield self  # expect: CON219
                    self._stop.set()
                    thread.join()

                @contextlib.contextmanager
                def pool(self):
                    pool = ThreadPoolExecutor()
                    found = yield pool  # expect: CON219

                    print(found)
                    pool.shutdown()
            """),
        Bad("""
            import asyncio
            from contextlib import asynccontextmanager as manager

            class Limited:
                def __init__(self):
                    self.limit = asyncio.Semaphore(3)

                @manager
                async def slot(self):
                    await self.limit.acquire()  # expect: CON219
                    yield
                    self.limit.release()
            """),
        Good("""
            import threading
            from contextlib import contextmanager

            import pytest

            lock = threading.Lock()

            @contextmanager
            def guarded():
                lock.acquire()
                try:
                    yield
                finally:
                    lock.release()

            @contextmanager
            def held():
                with lock:
                    yield
                print("free")

            @contextmanager
            def tried():
                lock.acquire()
                try:
                    yield
                except BaseException:
                    lock.release()
                    raise
                lock.release()

            @contextmanager
            def afterwards(work):
                yield
                thread = threading.Thread(target=work)
                thread.start()
                thread.join()
                lock.acquire()
                lock.release()

            @pytest.fixture
            def locked():
                lock.acquire()
                yield
                lock.release()

            def pieces(text):
                lock.acquire()
                yield text
                lock.release()
            """),
        Good("""
            import contextlib

            @contextlib.contextmanager
            def opened(door):
                door.acquire()
                yield door
                door.release()
            """),
    ),
)
