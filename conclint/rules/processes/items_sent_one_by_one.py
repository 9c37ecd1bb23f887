"""Each of these many items is sent to a process on its own, which costs more than the work on it.

An executor's `map`, and `imap` of a pool, send one item at a time: a pickle, a write into a pipe, a wake-up, and the
same back.  That is some 100 microseconds for each item; a cheap function needs less than one.

Give a `chunksize`, so that many items travel together: `pool.map(work, items, chunksize=1000)`.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.map.

Not reported: calls with a `chunksize`, `Pool.map`, which makes chunks by itself, and items whose number is not written
there.  Opt-in, since nobody can see here how long the work on an item takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Edit, Finding, Fix, Safety, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

EXECUTOR, POOL = "concurrent.futures.ProcessPoolExecutor", "multiprocessing.pool.Pool"
SINGLY = (f"{EXECUTOR}.map", f"{POOL}.imap", f"{POOL}.imap_unordered")

# From so many items on it shows.
MANY = 10_000

# Powers above this one are no numbers of items.
HIGHEST = 64

# So many chunks keep every worker busy to the end.
CHUNKS = 100


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.jobs import jobs

    for job in jobs(source):
        size_given = source.argument(job.call, "chunksize", 2 if job.how.startswith(POOL) else None)
        singly = size_given is None or source.code(size_given.value) == "1"
        if job.how not in SINGLY or job.threads or not singly or len(job.call.args) != 2 + (size_given is not None):
            continue
        count = _count(source, job.call.args[1].value)
        if count >= MANY:
            size = max(count // CHUNKS, 1)
            span = source.span(job.call)
            end = Span(span.end_line, span.end_column - 1, span.end_line, span.end_column - 1)
            edit = (
                Edit(end, f", chunksize={size}") if size_given is None else source.replace(size_given.value, str(size))
            )
            yield Finding(
                source.place(job.call),
                f"{count} items are sent to the processes one by one; give a `chunksize`",
                fix=Fix("send them in chunks", (edit,), Safety.UNSAFE),
            )


def _count(source: Source, items: cst.BaseExpression) -> int:
    """How many items a `range` of constants has; 0 where that is not written there."""
    if not isinstance(items, cst.Call) or not source.calls(items, "builtins.range"):
        return 0
    numbers = [number for arg in items.args if (number := _number(arg.value)) is not None]
    if len(numbers) != len(items.args) or not 0 < len(numbers) <= 3:
        return 0
    return len(range(*numbers)) if 0 not in numbers[2:] else 0


def _number(value: cst.BaseExpression) -> int | None:
    """`1000`, `10**6`, `60 * 60`."""
    if isinstance(value, cst.Integer):
        return value.evaluated_value
    if not isinstance(value, cst.BinaryOperation):
        return None
    left, right = _number(value.left), _number(value.right)
    if left is None or right is None:
        return None
    if isinstance(value.operator, cst.Power):
        return int(left**right) if 0 <= right <= HIGHEST else None
    return left * right if isinstance(value.operator, cst.Multiply) else None


RULE = Rule(
    code="CON619",
    name="items-sent-one-by-one",
    triggers=calls(*SINGLY),
    check=check,
    default=False,
    examples=(
        Bad(
            """
            from concurrent.futures import ProcessPoolExecutor

            def absolute():
                with ProcessPoolExecutor() as pool:
                    return list(pool.map(abs, range(1_000_000)))  # expect: CON619
            """,
            fixed="""
            from concurrent.futures import ProcessPoolExecutor

            def absolute():
                with ProcessPoolExecutor() as pool:
                    return list(pool.map(abs, range(1_000_000), chunksize=10000))  # expect: CON619
            """,
        ),
        Bad(
            """
            import multiprocessing as mp

            def absolute():
                with mp.Pool() as pool:
                    return sum(pool.imap_unordered(abs, range(10, 50_000)))  # expect: CON619
            """,
        ),
        Bad(
            """
            from multiprocessing import Pool

            def absolute():
                with Pool(4) as pool:
                    for number in pool.imap(abs, range(0, 100_000, 5)):  # expect: CON619
                        print(number)
            """,
        ),
        Good("""
            from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

            def absolute(numbers):
                with ProcessPoolExecutor() as pool, ThreadPoolExecutor() as threads:
                    list(threads.map(abs, range(1_000_000)))
                    list(pool.map(abs, range(100)))
                    list(pool.map(abs, numbers))
                    return list(pool.map(abs, range(1_000_000), chunksize=10_000))
            """),
        Good("""
            import multiprocessing as mp

            def absolute():
                with mp.Pool() as pool:
                    return pool.map(abs, range(1_000_000))
            """),
    ),
)
