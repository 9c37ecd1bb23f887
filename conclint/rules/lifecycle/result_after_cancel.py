"""The pool has cancelled what was still waiting, and here the results of all are read.

`shutdown(cancel_futures=True)` cancels every future that no worker has begun. `result()` of such a future raises
`CancelledError`: the read fails at the first job that was too late, and the results of the others are lost with it.

Read the results before the shutdown, shut down without `cancel_futures`, or skip what is `cancelled()`.

https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.shutdown

Not reported: results read where `cancelled()` or `done()` is asked or `CancelledError` is caught, and futures that
were waited for before the shutdown; and tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import EXECUTOR, Stage, calls_to, moves
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import argument, path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

SHUTDOWN = calls_to(Stage.CLOSED, EXECUTOR)
MOVES = moves(Stage.CLOSED, EXECUTOR)
FUTURE = "concurrent.futures.Future"
WAITS = ("concurrent.futures.wait", "concurrent.futures.as_completed")


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import forgives, in_test
    from conclint.source.typestate import Life, paths_of

    for function, path in paths_of(source, frozenset(MOVES)):
        life = Life(source, path, MOVES, watches=lambda call: _reads(source, call))
        for step in life.steps(function):
            since = step.before.since
            if step.method != "result" or not isinstance(since, cst.Call) or not _cancels(source, since):
                continue
            if in_test(source, step.call):
                continue  # it knows which of them have begun
            if not _asked(source, step.call, function) and not forgives(source, step.call, "CancelledError"):
                message = "futures that were still waiting are cancelled by now, and `result()` raises for them"
                note = Note(source.place(since), "cancelled here")
                yield Finding(source.place(step.call), f"{message}; read the results before the shutdown", (note,))


def _reads(source: Source, call: cst.Call) -> bool:
    func = call.func
    return isinstance(func, cst.Attribute) and func.attr.value == "result" and FUTURE in source.types(func.value)


def _cancels(source: Source, call: cst.Call) -> bool:
    given = argument(call, "cancel_futures")
    return source.calls(call, *SHUTDOWN) and given is not None and path_of(given.value) == "True"


def _asked(source: Source, call: cst.Call, function: cst.FunctionDef | cst.Module) -> bool:
    """Whether it is asked first if the future was cancelled, or all were waited for before."""
    if any(isinstance(node, cst.Call) and source.calls(node, *WAITS) for node in below(function)):
        return True
    for outer in source.ancestors(call):
        if isinstance(outer, (cst.If, cst.IfExp, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)):
            asked = (path_of(node.func) for node in below(outer) if isinstance(node, cst.Call))
            if any(path.endswith((".cancelled", ".done", ".cancel")) for path in asked):
                return True
        if outer is function:
            break
    return False


RULE = Rule(
    code="CON222",
    name="result-after-cancel",
    triggers=calls(*SHUTDOWN),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def run(jobs):
                pool = ThreadPoolExecutor()
                futures = [pool.submit(job) for job in jobs]
                pool.shutdown(wait=False, cancel_futures=True)
                return [future.result() for future in futures]  # expect: CON222
            """),
        Bad("""
            import concurrent.futures

            class Batch:
                def __init__(self):
                    self._pool = concurrent.futures.ProcessPoolExecutor()

                def run(self, jobs):
                    futures = []
                    for job in jobs:
                        futures.append(self._pool.submit(job))
                    self._pool.shutdown(cancel_futures=True)
                    for future in futures:
                        print(future.result())  # expect: CON222
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor as Pool

            def first(job, other):
                pool = Pool(1)
                one = pool.submit(job)
                pool.submit(other)
                pool.shutdown(cancel_futures=True)
                return one.result()  # expect: CON222
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def run(jobs):
                pool = ThreadPoolExecutor()
                futures = [pool.submit(job) for job in jobs]
                pool.shutdown(wait=True)
                return [future.result() for future in futures]
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def run(jobs):
                pool = ThreadPoolExecutor()
                futures = [pool.submit(job) for job in jobs]
                pool.shutdown(cancel_futures=True)
                return [future.result() for future in futures if not future.cancelled()]
            """),
        Good("""
            from concurrent.futures import CancelledError, ThreadPoolExecutor

            def run(jobs):
                pool = ThreadPoolExecutor()
                futures = [pool.submit(job) for job in jobs]
                try:
                    found = [future.result() for future in futures]
                except KeyboardInterrupt:
                    pool.shutdown(cancel_futures=True)
                    raise
                try:
                    return found + [future.result() for future in futures]
                except CancelledError:
                    return found
            """),
    ),
)
