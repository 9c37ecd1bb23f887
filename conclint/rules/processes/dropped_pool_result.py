"""Nobody looks at the result of this call, so an exception in the worker is lost without a trace.

`apply_async`, `map_async` and `starmap_async` give an `AsyncResult` at once.  What the worker returns, and what it
raises, waits in there for `get()`; `close()` and `join()` of the pool do not look.  A program that drops the result
ends as if all had gone well, with half of its work undone.

Keep the results and call `get()` on each, use `map`, which raises by itself, or give an `error_callback`.

See https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.AsyncResult.

Not reported: calls with an `error_callback`, results that are kept, returned or passed on, and workers that catch all
their exceptions themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

METHODS = ("apply_async", "map_async", "starmap_async")


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.jobs import jobs
    from conclint.source.unused import dropped

    for job in jobs(source):
        if job.method not in METHODS or _reports(source, job.call) or not dropped(source, job.call):
            continue
        if job.function is None or not _catches_all(source, job.function):
            yield Finding(
                source.place(job.call),
                f"an exception in the worker is lost, since nobody looks at the result of `{job.method}`; "
                "call `get()` on it, or give an `error_callback`",
            )


def _reports(source: Source, call: cst.Call) -> bool:
    """Whether an `error_callback` is given, or may be."""
    stars = any(arg.star for arg in call.args)
    return stars or source.argument(call, "error_callback", 4) is not None


def _catches_all(source: Source, worker: cst.BaseExpression) -> bool:
    """Whether the worker lets no exception pass."""
    bodies = [source.target(one) for one in source.named(worker).functions]
    return bool(bodies) and all(one is not None and one.catches for one in bodies)


RULE = Rule(
    code="CON612",
    name="dropped-pool-result",
    triggers=calls(*(f"multiprocessing.pool.Pool.{name}" for name in METHODS)),
    check=check,
    examples=(
        Bad("""
            import multiprocessing as mp

            def render(frame):
                print(frame)

            def render_all(frames):
                with mp.Pool() as pool:
                    for frame in frames:
                        pool.apply_async(render, (frame,))  # expect: CON612
                    pool.close()
                    pool.join()
            """),
        Bad("""
            from multiprocessing import Pool

            class Batch:
                def __init__(self):
                    self._pool = Pool(4)

                def run(self, pages):
                    self._pool.map_async(len, pages, callback=print)  # expect: CON612
                    self._pool.close()
                    self._pool.join()
            """),
        Bad("""
            import multiprocessing

            def pack_all(pack, folders):
                pool = multiprocessing.get_context("spawn").Pool(2)
                results = []
                for folder in folders:
                    results.append(pool.apply_async(pack, [folder]))  # expect: CON612
                pool.close()
                pool.join()
            """),
        Good("""
            import multiprocessing as mp

            def render(frame):
                print(frame)

            def render_all(frames):
                with mp.Pool() as pool:
                    results = [pool.apply_async(render, (frame,)) for frame in frames]
                    for result in results:
                        result.get()
            """),
        Good("""
            import multiprocessing as mp

            def render_all(render, frames, report):
                pool = mp.Pool()
                for frame in frames:
                    pool.apply_async(render, (frame,), error_callback=report)
                pool.close()
                pool.join()
            """),
        Good("""
            import multiprocessing as mp

            def render(frame):
                try:
                    print(1 / frame)
                except Exception as error:
                    print("cannot render", frame, error)

            def render_all(frames):
                with mp.Pool() as pool:
                    for frame in frames:
                        pool.apply_async(render, (frame,))
                    pool.close()
                    pool.join()
            """),
        Good("""
            import multiprocessing as mp

            def begin(pool: mp.pool.Pool, render, frames, pending):
                for frame in frames:
                    pending.append(pool.apply_async(render, (frame,)))
            """),
    ),
)
