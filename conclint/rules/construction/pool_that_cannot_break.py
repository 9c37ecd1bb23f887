"""When a worker of this pool is killed, its caller waits for ever.

A `multiprocessing.Pool` replaces a worker that dies (the system kills it for its memory, a C library crashes) and
forgets the job that it had: `map()` or `get()` never returns. `ProcessPoolExecutor` raises `BrokenProcessPool`.

Use `concurrent.futures.ProcessPoolExecutor`; since Python 3.11 it has `max_tasks_per_child` too.

https://docs.python.org/3/library/concurrent.futures.html#processpoolexecutor

Not reported: pools with `maxtasksperchild` or an `initializer`, whose `imap` or `imap_unordered` is used, or whose
results are waited for with a time limit; and pools that are passed on.

This is advice, shown only where it is asked for: most pools never lose a worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.pools import ANSWER
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import argument
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

POOL, THREADS = "multiprocessing.pool.Pool", "multiprocessing.pool.ThreadPool"
WAITED = ("map", "starmap", "apply")
IN_TURN = ("imap", "imap_unordered")
LATER = ("apply_async", "map_async", "starmap_async")


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        if not source.calls(call, POOL) or source.calls(call, THREADS) or in_test(source, call):
            continue
        fate = source.fate(call)
        if fate is None or fate.escapes or fate.does(*IN_TURN) or _wants_a_pool(call):
            continue
        if not (_waits_for_ever(source, call) if fate.does(*LATER) else fate.does(*WAITED)):
            continue
        what = "if a worker is killed, this pool's caller waits for ever"
        yield Finding(source.place(call), f"{what}; a `ProcessPoolExecutor` raises `BrokenProcessPool`")


def _wants_a_pool(call: cst.Call) -> bool:
    """Whether it is given what it was chosen for, or what nobody sees."""
    options = (("initializer", 1), ("maxtasksperchild", 3))
    return any(arg.star for arg in call.args) or any(argument(call, *one) is not None for one in options)


def _waits_for_ever(source: Source, call: cst.Call) -> bool:
    """Whether the function asks for the answers, and for none with a time limit."""
    around = source.function_node(call)
    asked = [
        one
        for one in source.all(cst.Call)
        if isinstance(one.func, cst.Attribute)
        and one.func.attr.value in ("get", "wait")
        and source.function_node(one) is around
        and ANSWER in source.types(one.func.value)
    ]
    return bool(asked) and not any(one.args for one in asked)


RULE = Rule(
    code="CON116",
    name="pool-that-cannot-break",
    triggers=calls(POOL),
    check=check,
    default=False,
    examples=(
        Bad("""
            import multiprocessing as mp

            def squares(numbers):
                with mp.Pool(4) as pool:  # expect: CON116
                    return pool.map(abs, numbers)
            """),
        Bad("""
            from multiprocessing import Pool

            def sums(pairs):
                pool = Pool()  # expect: CON116
                try:
                    return pool.starmap(max, pairs)
                finally:
                    pool.close()
                    pool.join()
            """),
        Bad("""
            from multiprocessing import get_context

            def once(number):
                with get_context("spawn").Pool(1) as pool:  # expect: CON116
                    return pool.apply(abs, (number,))
            """),
        Good("""
            from concurrent.futures import ProcessPoolExecutor

            def squares(numbers):
                with ProcessPoolExecutor(4) as pool:
                    return list(pool.map(abs, numbers))
            """),
        Good("""
            from multiprocessing import Pool

            def squares(numbers):
                with Pool(4, maxtasksperchild=10) as pool:
                    return pool.map(abs, numbers)
            """),
        Good("""
            from multiprocessing import Pool
            from multiprocessing.pool import ThreadPool

            def squares(numbers):
                with Pool(4) as pool:
                    found = list(pool.imap_unordered(abs, numbers))
                with ThreadPool(4) as pool:
                    return found + pool.map(abs, numbers)
            """),
    ),
)
