"""`cancel()` takes work out of the queue; work that has begun goes on, and `cancel()` only answers `False`.

A thread cannot be ended from outside. After `result(timeout=…)` ran out of time the work is most likely under way, so
cancelling its future changes nothing: the worker stays busy, files and connections stay in use, and the end of the
pool's `with` block, or of the program, waits for it as long as it takes. The time limit limits nothing.

Give the work a way to end: a `threading.Event` that it asks from time to time, a time limit of its own for each call
that may block. Or look at what `cancel()` answers, and act on `False`.

Reported is only what is surely too late: the answer dropped where `result()` has just run out of time, and the pool is
one that the function itself made and waits for; and a `cancel()` right behind its `submit()`.

Not reported: answers that are looked at, and best effort when a program, a pool or an object ends.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Future.cancel
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.futures import Given
    from conclint.source.source import Source

CANCEL = "concurrent.futures.Future.cancel"
TELLS = ("threading.Event.set", "multiprocessing.Event.set")
TIMEOUTS = frozenset({"builtins.TimeoutError", "concurrent.futures.TimeoutError", "asyncio.TimeoutError"})


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.futures import future_of

    for call in source.all(cst.Call):
        if not isinstance(call.func, cst.Attribute) or call.func.attr.value != "cancel":
            continue
        dropped = isinstance(source.parent(call), cst.Expr) and source.calls(call, CANCEL)
        given = future_of(source, call.func.value) if dropped else None
        if given is None:
            continue
        if _ran_out(source, call) and _waits_in_the_end(source, given):
            message = "`cancel()` does not end work that has begun, and the end of the pool waits for it all the same"
            yield Finding(source.place(call), f"{message}; give the work an event to ask, or a time limit of its own")
        elif _just_submitted(source, given, call):
            message = "this work may have begun already, and then `cancel()` does nothing but answer `False`"
            yield Finding(source.place(call), f"{message}; look at its answer, or give the work an event to ask")


def _ran_out(source: Source, call: cst.Call) -> bool:
    """Whether it stands where asking the same future for its result has just run out of time."""
    handler = source.nearest(call, cst.ExceptHandler)
    around = source.parent(handler) if handler is not None else None
    if handler is None or not isinstance(around, cst.Try) or handler.type is None:
        return False
    kinds = [one.value for one in handler.type.elements] if isinstance(handler.type, cst.Tuple) else [handler.type]
    if not any(TIMEOUTS & {*source.names(kind)} for kind in kinds):
        return False
    return any(
        _limited(source, one, path_of(call.func).rpartition(".")[0])
        for one in source.all(cst.Call)
        if around.body in source.ancestors(one)
    )


def _limited(source: Source, call: cst.Call, future: str) -> bool:
    """`future.result(timeout)`."""
    return bool(call.args) and path_of(call.func) in (f"{future}.result", f"{future}.exception")


def _waits_in_the_end(source: Source, given: Given) -> bool:
    """Whether the pool is the function's own, in a `with` block or shut down in the end."""
    from conclint.source.futures import maker

    made = maker(source, given.pool)
    function = source.function_node(given.call)
    if made is None or source.function_node(made) is not function:
        return False
    if isinstance(source.parent(made), cst.WithItem):
        return True
    wanted = f"{path_of(given.pool)}.shutdown"
    ends = [one for one in source.all(cst.Call) if path_of(one.func) == wanted]
    ends = [one for one in ends if source.function_node(one) is function]
    return bool(ends) and not any(source.argument(one, "wait", 0) for one in ends)


def _just_submitted(source: Source, given: Given, call: cst.Call) -> bool:
    """Whether the two stand in one block, and nobody asks the future for anything."""
    from conclint.source.variables import bound_to, reads

    block = source.parent(source.statement(call))
    name = bound_to(source, given.call)
    same = isinstance(block, cst.IndentedBlock) and block is source.parent(source.statement(given.call))
    return same and name is not None and len(reads(source, name)) == 1 and not _told(source, given.call, call)


def _told(source: Source, begun: cst.Call, end: cst.Call) -> bool:
    """Whether somebody tells the work to end before: `stop.set()`."""
    between = (one for one in source.all(cst.Call) if source.calls(one, *TELLS))
    return any(source.sequence(begun) < source.sequence(one) < source.sequence(end) for one in between)


RULE = Rule(
    code="CON807",
    name="cancelled-while-running",
    triggers=calls(CANCEL),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor, TimeoutError

            def load(source):
                with ThreadPoolExecutor(max_workers=1) as pool:
                    future = pool.submit(source.read)
                    try:
                        return future.result(timeout=5)
                    except TimeoutError:
                        future.cancel()  # expect: CON807
                        return None
            """),
        Bad("""
            import concurrent.futures as cf
            import logging

            def load_all(sources):
                with cf.ProcessPoolExecutor() as executor:
                    for source in sources:
                        job = executor.submit(source.read)
                        try:
                            job.result(10)
                        except (OSError, cf.TimeoutError):
                            logging.warning("too slow")
                            job.cancel()  # expect: CON807
            """),
        Bad("""
            import concurrent.futures

            def load(source):
                pool = concurrent.futures.ThreadPoolExecutor(1)
                future = pool.submit(source.read)
                try:
                    return future.result(timeout=5)
                except concurrent.futures.TimeoutError:
                    future.cancel()  # expect: CON807
                    raise
                finally:
                    pool.shutdown()
            """),
        Bad("""
            import time
            from concurrent.futures import Executor

            def load(executor: Executor, source):
                future = executor.submit(source.read)
                time.sleep(5)
                future.cancel()  # expect: CON807
            """),
        Good("""
            from concurrent.futures import Executor, ThreadPoolExecutor

            def load(source, stop):
                with ThreadPoolExecutor(max_workers=1) as pool:
                    future = pool.submit(source.read, stop)
                    try:
                        return future.result(timeout=5)
                    except TimeoutError:
                        stop.set()
                        if not future.cancel():
                            return future.result()

            def load_shared(executor: Executor, source):
                future = executor.submit(source.read)
                try:
                    return future.result(timeout=5)
                except TimeoutError:
                    future.cancel()
            """),
        Good("""
            import asyncio
            from concurrent.futures import ThreadPoolExecutor

            class Loader:
                def __init__(self):
                    self.pool = ThreadPoolExecutor()
                    self.future = None

                def begin(self, source):
                    self.future = self.pool.submit(source.read)

                def close(self):
                    self.future.cancel()
                    self.pool.shutdown(cancel_futures=True)

            async def work(job):
                task = asyncio.create_task(job())
                await asyncio.sleep(1)
                task.cancel()
            """),
    ),
)
