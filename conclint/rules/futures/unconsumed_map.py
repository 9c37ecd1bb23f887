"""Nobody iterates over what `map` returns, so an exception in a worker is never raised.

`Executor.map` gives all work to the pool at once, and returns an iterator. The results, and the first exception of
any of the calls, come out of that iterator only. Whoever drops it goes on as if everything had been done: no
traceback is printed, half the files are missing, a test passes whose assertions failed in the threads. The same holds
for `imap` and `imap_unordered` of a `multiprocessing` pool.

Run the iterator to its end: `list(pool.map(f, xs))`, or a `for` loop over it.

Not reported: iterators that somebody returns, passes on or keeps; work that catches all its exceptions itself;
`_ = pool.map(…)`, which says that it is meant so; and `map` of a `multiprocessing` pool, which waits and raises.

The fix puts `list(…)` around it. Where the call is the last statement in its pool's `with` block, which waits for the
work anyway, it changes nothing but that the exception is raised; elsewhere it waits earlier, and is applied with
`--unsafe-fixes` only.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Executor.map
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.pools import ITERATED, Gives
from conclint.model import Edit, Finding, Fix, Safety
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.futures import Given
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.futures import given, handles_its_errors, lost

    for one in given(source):
        if one.gives not in (Gives.RESULTS, Gives.STREAM) or not lost(source, one.call):
            continue
        if not handles_its_errors(source, one):
            text = source.code(one.func)
            message = f"nobody iterates over what `{text}` returns, and exceptions in the workers are lost"
            advice = "run it to its end, as with `list(…)`"
            yield Finding(source.place(one.call), f"{message}; {advice}", fix=_listed(source, one))


def _listed(source: Source, one: Given) -> Fix | None:
    from conclint.source.edits import written

    statement = source.parent(one.call)
    if not isinstance(statement, cst.Expr) or source.binds("list") not in ("", "builtins.list"):
        return None  # a name that is never read: what it was meant for is for the author to say
    edits = (Edit(source.place(one.call).span, f"list({written(source, one.call)})"),)
    safety = Safety.SAFE if _waits_anyway(source, one) else Safety.UNSAFE
    return Fix("put `list(…)` around it", edits, safety)


def _waits_anyway(source: Source, one: Given) -> bool:
    """Whether it is the last thing in the `with` block of its pool, whose end waits for the work."""
    statement = source.statement(one.call)
    block = source.parent(statement)
    outer = source.parent(block) if block is not None else None
    if one.gives is not Gives.RESULTS or not isinstance(block, cst.IndentedBlock) or not isinstance(outer, cst.With):
        return False
    names = [path_of(item.asname.name) for item in outer.items if item.asname is not None]
    return block.body[-1] is statement and path_of(one.pool) in names[-1:]


RULE = Rule(
    code="CON802",
    name="unconsumed-map",
    triggers=calls(*ITERATED),
    check=check,
    examples=(
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor

            def fetch(url):
                print(url)

            def fetch_all(urls):
                with ThreadPoolExecutor() as pool:
                    pool.map(fetch, urls)  # expect: CON802
            """,
            fixed="""
            from concurrent.futures import ThreadPoolExecutor

            def fetch(url):
                print(url)

            def fetch_all(urls):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(fetch, urls))  # expect: CON802
            """,
        ),
        Bad(
            """
            import concurrent.futures as cf

            class Store:
                def __init__(self):
                    self._pool = cf.ThreadPoolExecutor(4)

                def close(self):
                    self._pool.shutdown()

                def _save(self, row):
                    print(row)

                def save(self, rows):
                    self._pool.map(  # expect: CON802
                        self._save,
                        rows,
                    )
                    print("saved")
            """,
            fixed="""
            import concurrent.futures as cf

            class Store:
                def __init__(self):
                    self._pool = cf.ThreadPoolExecutor(4)

                def close(self):
                    self._pool.shutdown()

                def _save(self, row):
                    print(row)

                def save(self, rows):
                    list(self._pool.map(  # expect: CON802
                        self._save,
                        rows,
                    ))
                    print("saved")
            """,
        ),
        Bad("""
            import multiprocessing as mp

            def check(path):
                assert path

            def check_all(paths):
                with mp.Pool() as pool:
                    checked = pool.imap_unordered(check, paths)  # expect: CON802
                    pool.close()
                    pool.join()
            """),
        Bad("""
            from concurrent.futures import Executor

            def save_all(executor: Executor, save, rows):
                saved = executor.map(save, rows)  # expect: CON802
                print("saved")
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def sizes(urls, size, *more):
                with ThreadPoolExecutor() as pool:
                    for _ in pool.map(size, urls):
                        pass
                    known = pool.map(size, more)
                    first, *rest = pool.map(size, urls)
                    return [*known, *rest, *pool.map(size, urls)]
            """),
        Good("""
            import concurrent.futures

            def sizes(executor: concurrent.futures.Executor, size, urls):
                return executor.map(size, urls)
            """),
        Good("""
            import multiprocessing

            def save_all(save, rows):
                with multiprocessing.Pool() as pool:
                    pool.map(save, rows)
            """),
        Good("""
            import logging
            from concurrent.futures import ThreadPoolExecutor

            def save(row):
                try:
                    print(row)
                except Exception:
                    logging.exception("cannot save %r", row)

            def save_all(rows):
                with ThreadPoolExecutor() as pool:
                    pool.map(save, rows)
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            class Folder:
                def map(self, function, items):
                    for item in items:
                        function(item)

            def save_all(folder: Folder, save, rows):
                folder.map(save, rows)
                with ThreadPoolExecutor() as pool:
                    _ = pool.map(save, rows)
            """),
    ),
)
