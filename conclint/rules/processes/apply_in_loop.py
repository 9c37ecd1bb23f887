"""`pool.apply` waits for its result, so in a loop the pool's processes work one after the other.

`apply` gives one piece of work to one worker and blocks until it is done; the next round of the loop begins only
then.  The pool costs its processes and the pickling of every argument and result, and nothing runs at the same time.

Give all the items at once: `pool.map(work, items)`, or `starmap` where there are several arguments.

See https://docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool.apply.

Not reported: loops whose rounds need what an earlier one brought, a callable that changes from round to round, and
`while` loops, which do not know their items beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding, Fix, Safety
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.jobs import Job
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.jobs import jobs

    for job in jobs(source):
        loop = source.loop(job.call) if job.method == "apply" else None
        if loop is None or isinstance(loop, cst.While) or job.function is None or _depends(job, loop):
            continue
        yield Finding(
            source.place(job.call),
            "`apply` waits for each result before the next round begins, so the pool's workers take turns; "
            "use `map` or `starmap`",
            fix=_mapped(source, job, loop),
        )


def _depends(job: Job, loop: cst.CSTNode) -> bool:
    """Whether the callable belongs to the round, or a round needs what an earlier one brought."""
    from conclint.source.rounds import dependent

    return dependent(loop, job.call.args[0].value, [arg.value for arg in job.call.args[1:]])


def _mapped(source: Source, job: Job, loop: cst.CSTNode) -> Fix | None:
    """`[pool.apply(f, (x,)) for x in xs]` as `pool.map(f, xs)`."""
    if not isinstance(loop, cst.ListComp) or loop.elt is not job.call or not isinstance(job.call.func, cst.Attribute):
        return None
    clause, one = loop.for_in, job.arguments[0] if len(job.arguments) == 1 else None
    alone = clause.inner_for_in is None and not clause.ifs and clause.asynchronous is None
    item = clause.target.value if isinstance(clause.target, cst.Name) else ""
    same = isinstance(one, cst.Name) and one.value == item and not isinstance(job.call.args[1].value, cst.Dict)
    if not (alone and same and len(job.call.args) == 2 and isinstance(job.function, cst.Name)):
        return None
    pool, function, items = (source.code(part) for part in (job.call.func.value, job.function, clause.iter))
    edit = source.replace(loop, f"{pool}.map({function}, {items})")
    return Fix("`map` instead of one `apply` after the other", (edit,), Safety.SAFE)


RULE = Rule(
    code="CON613",
    name="apply-in-loop",
    triggers=calls("multiprocessing.pool.Pool.apply"),
    check=check,
    examples=(
        Bad(
            """
            import multiprocessing as mp

            def square(x):
                return x * x

            def squares(xs):
                with mp.Pool() as pool:
                    return [pool.apply(square, (x,)) for x in xs]  # expect: CON613
            """,
            fixed="""
            import multiprocessing as mp

            def square(x):
                return x * x

            def squares(xs):
                with mp.Pool() as pool:
                    return pool.map(square, xs)  # expect: CON613
            """,
        ),
        Bad(
            """
            from multiprocessing import Pool

            def area(width, height):
                return width * height

            def areas(sizes):
                found = []
                pool = Pool(4)
                for width, height in sizes:
                    found.append(pool.apply(area, args=(width, height)))  # expect: CON613
                pool.close()
                pool.join()
                return found
            """,
        ),
        Bad(
            """
            from multiprocessing.pool import ThreadPool

            class Crawler:
                def __init__(self, fetch):
                    self.pool = ThreadPool(8)
                    self.fetch = fetch

                def pages(self, urls):
                    return {url: self.pool.apply(self.fetch, [url]) for url in urls}  # expect: CON613
            """,
        ),
        Good("""
            import multiprocessing as mp

            def square(x):
                return x * x

            def squares(xs):
                with mp.Pool() as pool:
                    return pool.map(square, xs)
            """),
        Good("""
            import multiprocessing as mp

            def run_all(steps, value):
                with mp.Pool() as pool:
                    return [pool.apply(step, (value,)) for step in steps]  # another function each time
            """),
        Good("""
            import multiprocessing as mp

            def refine(refine_once, value, rounds):
                with mp.Pool(1) as pool:
                    for _ in range(rounds):
                        value = pool.apply(refine_once, (value,))
                return value
            """),
        Good("""
            import multiprocessing as mp

            def serve(handle, requests):
                with mp.Pool() as pool:
                    while True:
                        print(pool.apply(handle, (requests.get(),)))
            """),
    ),
)
