"""An exception in the `with` block comes out of this `yield`, and what stands behind it never runs.

`@contextmanager` throws the exception of the block into the generator, at its `yield`. Without a `try` around that, the
generator ends there: the lock stays taken, the thread goes on, the pool stays open, and that on just those days on
which something else went wrong already.

Put the `yield` into a `try`, and what must happen in any case into its `finally`; or use `with` inside the manager.

Not reported: a `yield` inside `try`; managers that end nothing that is known to run or to be held; and fixtures of
pytest, into which no exception is thrown.

The fix makes the `try` where nothing but the ending follows; it is applied with `--unsafe-fixes` only.

See https://docs.python.org/3/library/contextlib.html#contextlib.contextmanager
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.handles import ENDS
from conclint.model import Edit, Finding, Fix, Note, Place
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.source import Source

BEGINS = frozenset({"acquire", "start"})


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.managers import manager

    for node in source.all(cst.Yield):
        function = manager(source, node)
        if function is None or _protected(source, node):
            continue
        ending = next(_endings(source, node), None)
        if ending is not None:
            text = source.code(ending)
            message = f"an exception in the `with` block comes out of this `yield`, and `{text}` never runs"
            notes = (Note(source.place(ending), "not reached then"),)
            fix = _tried(source, node)
            yield Finding(_begin(source, node, ending), f"{message}; put it into a `finally`", notes, fix)


def _protected(source: Source, node: cst.Yield) -> bool:
    for outer in source.ancestors(node):
        if isinstance(outer, cst.Try):
            return True
        if isinstance(outer, cst.FunctionDef):
            return False
    return False


def _following(source: Source, node: cst.Yield) -> list[cst.BaseStatement]:
    statement = source.statement(node)
    block = source.parent(statement)
    body = list(block.body) if isinstance(block, cst.IndentedBlock) else []
    return [one for one in body if source.sequence(one) > source.sequence(statement)]


def _endings(source: Source, node: cst.Yield) -> Iterator[cst.Call]:
    """What ends something behind the `yield`, as statements of its block."""
    for statement in _following(source, node):
        for part in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            value = part.value if isinstance(part, cst.Expr) else None
            value = value.expression if isinstance(value, cst.Await) else value
            if isinstance(value, cst.Call) and source.calls(value, *ENDS):
                yield value


def _begin(source: Source, node: cst.Yield, ending: cst.Call) -> Place:
    """Where what is ended begins, in the block of the `yield`; else the `yield` itself."""
    from conclint.source.tree import below

    owner = path_of(ending.func).rpartition(".")[0]
    statement = source.statement(node)
    block = source.parent(statement)
    for one in block.body if isinstance(block, cst.IndentedBlock) else ():
        for part in below(one) if source.sequence(one) < source.sequence(statement) else ():
            if isinstance(part, cst.Call) and path_of(part.func) in {f"{owner}.{name}" for name in BEGINS}:
                return source.place(part)
    return source.place(node)


def _tried(source: Source, node: cst.Yield) -> Fix | None:
    """`try: yield` and the rest in `finally`, where the rest does nothing but end things."""
    from conclint.source.edits import indent_unit, lines_of, shifted

    following, statement = _following(source, node), source.statement(node)
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
                print(name)
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
                print(name)
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
