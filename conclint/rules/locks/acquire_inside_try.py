"""When this `acquire()` does not get the lock, the `finally` releases one that nobody took, or that another holds.

What stands in a `try` before the lock is taken, the `acquire()` itself included, can raise: Ctrl-C, a cancelled task,
a failing line in front. Then `finally` runs all the same. Releasing a free lock raises a `RuntimeError` that hides the
first error; releasing one that somebody else holds lets two in at once.

Take the lock before the `try`; better still, write `with lock:`.

Not reported: a `finally` that first asks whether the lock was taken; a lock that was held before the `try` and was let
go for a while inside; and tests.

https://docs.python.org/3/library/threading.html#threading.Lock.release
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.locks import methods
from conclint.model import Edit, Finding, Fix, Note, Safety, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.lockuse import LockCall
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.lockleaks import is_retaken, takes
    from conclint.source.lockuse import lock_call

    for taken in takes(source):
        line = source.statement(taken.call)
        block = source.parent(line)
        around = source.parent(block) if block is not None else None
        if not isinstance(around, cst.Try) or block is not around.body or around.finalbody is None:
            continue
        last = [found for one in around.finalbody.body.body if (found := _call_of(one)) is not None]
        release = next((one for one in last if _is_release(lock_call(source, one), taken)), None)
        if release is not None and not is_retaken(source, taken) and not _taken_before(source, taken, around):
            yield Finding(
                source.place(taken.call),
                f"`finally` releases `{taken.text}` even when this does not get it; take it before the `try`",
                notes=(Note(source.place(release), "it is released here"),),
                fix=_hoisted(source, line, around),
            )


def _call_of(line: cst.CSTNode) -> cst.Call | None:
    """The call that is the whole line."""
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
    return small.value if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) else None


def _is_release(found: LockCall | None, taken: LockCall) -> bool:
    return found is not None and found.method == "release" and found.text == taken.text


def _taken_before(source: Source, taken: LockCall, around: cst.Try) -> bool:
    """Whether the function takes it before the `try` too."""
    from conclint.source.lockleaks import operations

    function = source.nearest(around, cst.FunctionDef)
    first = next(operations(source, function, taken.text), None) if function is not None else None
    return first is not None and first.call is not taken.call and source.sequence(first.call) < source.sequence(around)


def _hoisted(source: Source, line: cst.CSTNode, around: cst.Try) -> Fix | None:
    """The line before the `try`, where it is the first one inside and not the only one."""
    first, *rest = around.body.body
    if first is not line or not rest or not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None  # what it jumps over may matter
    span, head = source.span(line), source.span(around)
    text = source.text.lines[span.line - 1].strip()
    if span.line != head.line + 1 or span.end_line != span.line:
        return None
    indent = source.indent(around)
    rewritten = f"{indent}{text}\n{source.text.lines[head.line - 1]}"
    end = len(source.text.lines[span.line - 1]) + 1
    return Fix("take it before the `try`", (Edit(Span(head.line, 1, span.line, end), rewritten),), Safety.SAFE)


RULE = Rule(
    code="CON403",
    name="acquire-inside-try",
    triggers=calls(*methods("acquire", "release")),
    check=check,
    examples=(
        Bad(
            """
            import threading

            lock = threading.Lock()

            def work(job):
                try:
                    lock.acquire()  # expect: CON403
                    job()
                finally:
                    lock.release()
            """,
            fixed="""
            import threading

            lock = threading.Lock()

            def work(job):
                lock.acquire()  # expect: CON403
                try:
                    job()
                finally:
                    lock.release()
            """,
        ),
        Bad("""
            import asyncio

            class Channel:
                def __init__(self, slots: asyncio.Semaphore, log):
                    self._slots = slots
                    self._log = log

                async def send(self, data, writer):
                    try:
                        self._log.info("sending %d bytes", len(data))
                        await self._slots.acquire()  # expect: CON403
                        writer.write(data)
                        await writer.drain()
                    except OSError:
                        self._log.exception("not sent")
                    finally:
                        self._slots.release()
            """),
        Bad(
            """
            from multiprocessing import Lock as Guard

            def work(guard: Guard, rows):
                for row in rows:
                    try:
                        guard.acquire(True)  # expect: CON403
                        print(row)
                    except ValueError:
                        print("bad row")
                    finally:
                        guard.release()
            """,
            fixed="""
            from multiprocessing import Lock as Guard

            def work(guard: Guard, rows):
                for row in rows:
                    guard.acquire(True)  # expect: CON403
                    try:
                        print(row)
                    except ValueError:
                        print("bad row")
                    finally:
                        guard.release()
            """,
        ),
        Good("""
            import threading

            lock = threading.Lock()

            def work(job):
                locked = False
                try:
                    locked = lock.acquire(timeout=5)
                    if locked:
                        job()
                finally:
                    if locked:
                        lock.release()

            def other(job):
                taken = False
                try:
                    lock.acquire()
                    taken = True
                    job()
                finally:
                    if taken:
                        lock.release()
            """),
        Good("""
            import threading

            lock = threading.Lock()

            def work(job, other):
                lock.acquire()
                try:
                    job()
                    lock.release()
                    other.join()
                    lock.acquire()
                finally:
                    lock.release()

            def pause(other):
                try:
                    lock.release()
                    other.join()
                    lock.acquire()
                finally:
                    lock.release()
            """),
        Good("""
            import threading

            lock = threading.Lock()

            def work(job):
                try:
                    lock.acquire()
                    try:
                        job()
                    finally:
                        lock.release()
                except OSError:
                    print("failed")
            """),
    ),
)
