"""A done-callback runs in the pool's worker, and an exception in it is only logged.

`add_done_callback` calls the function in the thread that has just finished the work, before that takes its next item:
a callback that waits or reads from the network keeps the worker from its work. And `future.result()` in a callback
raises what the work raised; the executor logs "exception calling callback" and goes on, and nobody else hears of it.

Look at `future.exception()` first, and hand longer work on, to a queue or to a pool.

Not reported: callbacks that ask `exception()` or `cancelled()`, or that catch what `result()` raises.

Off by default: short work in a callback, and a traceback in the log, are what many programs want.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Future.add_done_callback
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding, Note
from conclint.program.effects import Effect
from conclint.program.triggers import starts
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.program.scene import TargetScene
    from conclint.source.source import Source
    from conclint.source.tree import Function

ADD = "concurrent.futures.Future.add_done_callback"
SHORT = frozenset({"acquire", "__enter__", "result", "exception", "cancel", "set", "put"})
ASKS = frozenset({"exception", "cancelled"})


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        given = source.argument(call, "fn", 0) if source.calls(call, ADD) else None
        if given is None:
            continue
        function = _function(source, given.value)
        if function is not None and (risky := _raises(source, function)) is not None:
            note = Note(source.place(risky), "raises here what the work raised")
            message = "an exception of the work is raised in this callback, where it is only logged"
            yield Finding(source.place(given), f"{message}; look at `exception()` first", notes=(note,))
            continue
        blocking = next((one for one in source.starts(call)[1] if _blocks(one)), None)
        if blocking is not None:
            message = "this callback waits in the worker that has just finished, which cannot take its next item"
            advice = "hand longer work on"
            yield Finding(source.place(given), f"{message}; {advice}", notes=blocking.trace(Effect.BLOCKS))


def _blocks(target: TargetScene) -> bool:
    """Whether it waits for more than a lock, or for another future that it has."""
    trace = target.trace(Effect.BLOCKS)
    last = trace[-1].message.partition("`")[2].partition("`")[0].rpartition(".")[2] if trace else ""
    return bool(target.effects & Effect.BLOCKS) and last not in SHORT


def _function(source: Source, callback: cst.BaseExpression) -> Function | None:
    """The lambda, or the function of this file, that is called back."""
    if isinstance(callback, cst.Lambda):
        return callback
    wanted = source.named(callback).functions
    for node in source.all(cst.FunctionDef):
        if len(wanted) == 1 and wanted[0].endswith(f":{source.qualname_of(node)}") and source.path in wanted[0]:
            return node
    return None


def _raises(source: Source, function: Function) -> cst.Call | None:
    """The `future.result()` of a callback that does not look at the exception first."""
    from conclint.source.tree import below

    params = function.params.params
    future = params[-1].name.value if params else ""
    found = [node for node in below(function.body) if isinstance(node, cst.Call)]
    if not future or any(path_of(node.func) in {f"{future}.{name}" for name in ASKS} for node in found):
        return None
    asked = (node for node in found if path_of(node.func) == f"{future}.result")
    return next((node for node in asked if source.nearest(node, cst.Try) is None), None)


RULE = Rule(
    code="CON809",
    name="risky-done-callback",
    triggers=starts(ADD),
    check=check,
    default=False,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def load_all(load, sources, rows):
                with ThreadPoolExecutor() as pool:
                    for source in sources:
                        future = pool.submit(load, source)
                        future.add_done_callback(lambda done: rows.append(done.result()))  # expect: CON809
            """),
        Bad("""
            import concurrent.futures as cf

            class Loader:
                def __init__(self):
                    self.rows = []

                def _add(self, future):
                    self.rows.append(future.result())

                def load(self, pool: cf.Executor, source):
                    pool.submit(source.read).add_done_callback(self._add)  # expect: CON809
            """),
        Bad("""
            import time
            from concurrent import futures

            def pause(future):
                time.sleep(5)
                print(future)

            def load(pool: futures.Executor, source):
                future = pool.submit(source.read)
                future.add_done_callback(fn=pause)  # expect: CON809
            """),
        Good("""
            import logging
            from concurrent.futures import Executor

            def log_error(future):
                if future.exception():
                    logging.error("failed", exc_info=future.exception())
                else:
                    logging.info("done: %s", future.result())

            def log_result(future):
                try:
                    logging.info("done: %s", future.result())
                except OSError:
                    logging.exception("failed")

            def load(pool: Executor, source):
                future = pool.submit(source.read)
                future.add_done_callback(log_error)
                future.add_done_callback(log_result)
                future.add_done_callback(lambda future: print(future))
                return future
            """),
    ),
)
