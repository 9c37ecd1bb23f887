"""This pool is shut down already, so the work is refused.

After `shutdown()`, `close()` or the end of its `with` block a pool takes no more work: `submit` and `map` raise
"RuntimeError: cannot schedule new futures after shutdown", a `multiprocessing.Pool` "ValueError: Pool not running".

Give it the work before, inside the block; or make another pool.

https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.shutdown

Not reported: pools that are made anew in between, exclusive branches, and code that expects the error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import EXECUTOR, POOL, Stage, calls_to, moves
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

GIVES = calls_to(Stage.WORKS, EXECUTOR, POOL)
METHODS = frozenset(moves(Stage.WORKS, EXECUTOR, POOL))
MOVES = moves(Stage.CLOSED, EXECUTOR, POOL)


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import expects_trouble, forgives
    from conclint.source.typestate import Life, paths_of

    for function, path in paths_of(source, METHODS):
        for step in Life(source, path, MOVES, ends=Stage.CLOSED).steps(function):
            call = step.call
            if step.method not in METHODS or not source.calls(call, *GIVES) or expects_trouble(source, call):
                continue
            if not forgives(source, call, "RuntimeError", "ValueError"):
                message = f"`{path}` was shut down before, so this raises and the work is lost; give it before that"
                yield Finding(source.place(call), message, (_note(source, step.before.since),))


def _note(source: Source, since: cst.CSTNode) -> Note:
    if isinstance(since, cst.With):
        return Note(source.place(since.items[0].item), "the end of this block shuts it down")
    return Note(source.place(since), "shut down here")


RULE = Rule(
    code="CON223",
    name="work-after-shutdown",
    triggers=calls(*GIVES),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def sizes(paths, last):
                with ThreadPoolExecutor() as pool:
                    found = list(pool.map(len, paths))
                found.append(pool.submit(len, last).result())  # expect: CON223
                return found
            """),
        Bad("""
            import multiprocessing

            def squares(numbers, more):
                pool = multiprocessing.Pool(4)
                first = pool.map(abs, numbers)
                pool.close()
                second = pool.map(abs, more)  # expect: CON223
                pool.join()
                return first + second
            """),
        Bad("""
            import concurrent.futures

            class Batch:
                def __init__(self):
                    self._pool = concurrent.futures.ProcessPoolExecutor()

                def run(self, jobs, cleanup):
                    futures = [self._pool.submit(job) for job in jobs]
                    self._pool.shutdown(wait=True)
                    self._pool.submit(cleanup)  # expect: CON223
                    return [future.result() for future in futures]
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def sizes(paths, last):
                with ThreadPoolExecutor() as pool:
                    found = list(pool.map(len, paths))
                    found.append(pool.submit(len, last).result())
                return found
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def twice(paths):
                with ThreadPoolExecutor() as pool:
                    first = list(pool.map(len, paths))
                with ThreadPoolExecutor() as pool:
                    return first + list(pool.map(len, paths))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            class Batch:
                def __init__(self, broken):
                    self.broken = broken
                    self._pool = ThreadPoolExecutor()

                def run(self, job):
                    if self.broken:
                        self._pool.shutdown(wait=False)
                        self._pool = ThreadPoolExecutor()
                    return self._pool.submit(job)

                def last(self, job):
                    if self.broken:
                        self._pool.shutdown()
                        return None
                    return self._pool.submit(job)
            """),
    ),
)
