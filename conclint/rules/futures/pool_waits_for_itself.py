"""Work in a pool that waits for more work of the same pool stops for ever when all workers wait.

A worker that calls `result()` on a future of its own pool keeps its place while it waits. The inner work needs a place
too. As soon as every worker runs such outer work, the inner work stays in the queue, nobody gets on, and the program
hangs: not on the small example, but with more items than workers.

Give the inner work a pool of its own; or let the outer work return what is still to be done, and submit that outside;
or call the inner function directly.

Not reported: outer work that runs only once at a time where the pool has more than one worker; another pool;
futures that the worker hands out without waiting for them; and tests.

See https://docs.python.org/3/library/concurrent.futures.html#threadpoolexecutor
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.knowledge.pools import Gives
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.scene import RunScene
    from conclint.source.futures import Given
    from conclint.source.source import Source

WORK = ("concurrent.futures.Executor.submit", "concurrent.futures.Executor.map")
BLOCKING = tuple(f"multiprocessing.pool.ThreadPool.{name}" for name in ("apply", "map", "starmap"))


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.futures import given, waited_for
    from conclint.source.testcode import in_test

    blocking = list(_blocking(source))
    for one in (*given(source), *blocking):
        if one.gives not in (Gives.FUTURE, Gives.RESULTS) or not source.runs(one.call, Context.THREAD):
            continue
        run = _own_run(source, one)
        waits = one in blocking or waited_for(source, one)
        if run is not None and waits and not in_test(source, one.call):
            pool = source.code(one.pool)
            message = f"this runs in a worker of `{pool}` and waits for other work of `{pool}`, and hangs when all do"
            advice = "give the inner work a pool of its own"
            yield Finding(source.place(one.call), f"{message}; {advice}", notes=run.trace)


def _blocking(source: Source) -> Iterator[Given]:
    """`pool.map(…)` and the like of a `ThreadPool`, which wait by themselves."""
    from conclint.source.futures import Given

    for call in source.all(cst.Call):
        if isinstance(call.func, cst.Attribute) and source.calls(call, *BLOCKING):
            yield Given(call, call.func, Gives.RESULTS)


def _own_run(source: Source, one: Given) -> RunScene | None:
    """How the code comes to run in a worker of the very pool that it gives work to, often enough to fill it."""
    function, pool = source.function(one.call), source.named(one.pool).store
    runs = function.runs_in(Context.THREAD) if function is not None and pool is not None else ()
    return next((run for run in runs if run.starter == pool and (run.many or run.single)), None)


RULE = Rule(
    code="CON804",
    name="pool-waits-for-itself",
    triggers=calls(*WORK, *BLOCKING),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            pool = ThreadPoolExecutor(8)

            def size(path):
                return len(path)

            def total(paths):
                futures = [pool.submit(size, path) for path in paths]  # expect: CON804
                return sum(future.result() for future in futures)

            def totals(folders):
                return list(pool.map(total, folders))
            """),
        Bad("""
            from concurrent import futures

            class Crawler:
                def __init__(self):
                    self.pool = futures.ThreadPoolExecutor()

                def close(self):
                    self.pool.shutdown()

                def _links(self, page):
                    return page.split()

                def _page(self, page):
                    return self._count(page)

                def _count(self, page):
                    return len(self.pool.submit(self._links, page).result())  # expect: CON804

                def crawl(self, pages):
                    return [one.result() for one in [self.pool.submit(self._page, page) for page in pages]]
            """),
        Bad("""
            import concurrent.futures as cf

            def walk(tree):
                with cf.ThreadPoolExecutor(max_workers=1) as pool:
                    def visit(node):
                        list(pool.map(visit, node))  # expect: CON804

                    def once():
                        return pool.submit(visit, tree).result()  # expect: CON804

                    return pool.submit(once).result()
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            outer = ThreadPoolExecutor(8)
            inner = ThreadPoolExecutor(8)

            def size(path):
                return len(path)

            def total(paths):
                return sum(inner.map(size, paths))

            def totals(folders):
                return list(outer.map(total, folders))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            class Crawler:
                def __init__(self):
                    self.pool = ThreadPoolExecutor(4)
                    self.futures = []

                def close(self):
                    self.pool.shutdown()

                def _links(self, page):
                    return page.split()

                def _page(self, page):
                    self.futures.append(self.pool.submit(self._links, page))

                def _begin(self, page):
                    return self.pool.submit(self._links, page).result()

                def crawl(self, pages):
                    for page in pages:
                        self.futures.append(self.pool.submit(self._page, page))

            def crawl(page):
                crawler = Crawler()
                with ThreadPoolExecutor() as other:
                    crawler.crawl([page])
                    return other.submit(crawler._begin, page).result()
            """),
    ),
)
