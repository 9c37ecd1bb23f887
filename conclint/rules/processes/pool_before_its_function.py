"""The workers of this pool are forked before the function is defined, and do not find it.

A forked worker has the module as it was when the pool was made.  A function that is defined further down is not in
it: the worker fails with `AttributeError: Can't get attribute 'work'`, the pool starts another one, and the call waits
for ever.

Make the pool after the functions, best in a function of its own that is called below the main guard.

See https://docs.python.org/3/library/multiprocessing.html#using-a-pool-of-workers.

Not reported: functions of other modules, which a worker imports when it needs them, and pools that are not forked.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding, Note, Place, Span
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for start in evidence.program.children.starts():
        function = evidence.program.children.defined_later(start)
        if function is not None:
            place = site_place(start.site)
            there = Place(place.path, Span(function.line, 1, function.line, 1))
            yield Finding(
                place,
                f"the pool's workers are forked before `{function.name}` is defined and do not find it, so its calls "
                "hang; make the pool further down",
                notes=(Note(there, f"`{function.name}` is defined here"),),
            )


RULE = Rule(
    code="CON618",
    name="pool-before-its-function",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import multiprocessing as mp

            POOL = mp.Pool(2)  # expect: CON618

            def work(x):
                return x

            print(POOL.map(work, [1]))
            """),
        Bad("""
            from multiprocessing import Pool

            if __name__ == "__main__":
                pool = Pool()  # expect: CON618

            def double(x):
                return 2 * x

            def doubles(xs):
                return [each.get() for each in [pool.apply_async(double, (x,)) for x in xs]]
            """),
        Bad("""
            import multiprocessing

            ctx = multiprocessing.get_context("fork")
            pool = ctx.Pool(2)  # expect: CON618

            def triple(x):
                return 3 * x

            for result in pool.imap_unordered(func=triple, iterable=[1, 2]):
                print(result)
            """),
        Good("""
            import multiprocessing as mp

            def work(x):
                return x

            def main():
                with mp.Pool(2) as pool:
                    print(pool.map(work, [1]))

            if __name__ == "__main__":
                main()
            """),
        Good("""
            import math
            import multiprocessing as mp

            POOL = mp.Pool(2)

            def roots(xs):
                return POOL.map(math.sqrt, xs)
            """),
        Good("""
            import multiprocessing as mp

            POOL = mp.get_context("spawn").Pool(2)

            def work(x):
                return x

            def main():
                print(POOL.map(work, [1]))
            """),
    ),
)
