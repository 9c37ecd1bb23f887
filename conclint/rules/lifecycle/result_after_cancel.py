"""The pool has cancelled what was still waiting, and here the results of all are read.

`shutdown(cancel_futures=True)` cancels every future that no worker has begun. `result()` of such a future raises
`CancelledError`: the read fails at the first job that was too late, and the results of the others are lost with it.

Read the results before the shutdown, shut down without `cancel_futures`, or skip what is `cancelled()`.

https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.shutdown

Not reported: results read where `cancelled()` or `done()` is asked or `CancelledError` is caught, and futures that
were waited for before the shutdown; futures of another pool; and tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import EXECUTOR, Stage, calls_to, moves
from conclint.knowledge.pools import SUBMITTED
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
Body = cst.FunctionDef | cst.Module
COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
WAITS = ("concurrent.futures.wait", "concurrent.futures.as_completed")


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import forgives, in_test
    from conclint.source.typestate import Life, paths_of

    for function, path in paths_of(source, frozenset(MOVES)):
        life = Life(source, path, MOVES, watches=partial(_reads, source, function, path))
        for step in life.steps(function):
            since = step.before.since
            if step.method != "result" or not isinstance(since, cst.Call) or not _cancels(source, since):
                continue
            if in_test(source, step.call):
                continue  # it knows which of them have begun
            owners = _owners(source, step.call, function)
            if _asked(source, function) or (owners and path not in owners):
                continue
            if not forgives(source, step.call, "CancelledError"):
                message = "futures that were still waiting are cancelled by now, and `result()` raises for them"
                note = Note(source.place(since), "cancelled here")
                yield Finding(source.place(step.call), f"{message}; read the results before the shutdown", (note,))


def _reads(source: Source, function: Body, pool: str, call: cst.Call) -> bool:
    """Whether the call reads a result: of a future, or of what the function has from the pool."""
    func = call.func
    if not isinstance(func, cst.Attribute) or func.attr.value != "result":
        return False
    return FUTURE in source.types(func.value) or pool in _owners(source, call, function)


def _cancels(source: Source, call: cst.Call) -> bool:
    given = argument(call, "cancel_futures")
    return source.calls(call, *SHUTDOWN) and given is not None and path_of(given.value) == "True"


def _asked(source: Source, function: Body) -> bool:
    """Whether somebody asks there which of them have come so far, or waited for all of them."""
    calls = [node for node in below(function) if isinstance(node, cst.Call)]
    asks = any(path_of(call.func).endswith((".cancelled", ".done", ".cancel")) for call in calls)
    return asks or any(source.calls(call, *WAITS) for call in calls)


def _owners(source: Source, read: cst.Call, function: Body) -> set[str]:
    """The pools from which the futures come, as far as the function shows."""
    around = (one for one in source.ancestors(read) if isinstance(one, (cst.For, *COMPREHENSIONS)))
    wanted = [read.func, *(one.iter if isinstance(one, cst.For) else one.for_in.iter for one in around)]
    names = {part.value for one in wanted for part in below(one) if isinstance(part, cst.Name)}
    return {path_of(call.func).rpartition(".")[0] for call in _submitted(source, function, names)}


def _submitted(source: Source, function: Body, names: set[str]) -> Iterator[cst.Call]:
    """The calls whose futures one of the names holds."""
    for node in below(function):
        if isinstance(node, cst.Assign):
            holds = any(path_of(one.target) in names for one in node.targets)
        else:
            adds = isinstance(node, cst.Call) and path_of(node.func).endswith((".append", ".add"))
            holds = isinstance(node, cst.Call) and adds and path_of(node.func).rpartition(".")[0] in names
        for part in below(node) if holds else ():
            if isinstance(part, cst.Call) and source.calls(part, *SUBMITTED):
                yield part


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
