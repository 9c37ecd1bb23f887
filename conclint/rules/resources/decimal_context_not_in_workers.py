"""The main thread sets the precision of decimals for itself only: other threads compute with the default.

Each thread has a decimal context of its own, and begins with a copy of `decimal.DefaultContext`.  What the main thread
sets through `getcontext()` or `setcontext` does not reach the workers: their results are rounded to 28 digits, another
way, or raise where main would not.  Set the context inside the worker (`with localcontext() as context:`), or set
`DefaultContext` before any thread starts.

Not reported: workers that set a context themselves, `DefaultContext`, and free-threaded programs for Python 3.14 and
later, whose threads inherit the context.

https://docs.python.org/3/library/decimal.html#working-with-threads
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for unset in evidence.precision.unset():
        yield Finding(
            site_place(unset.site),
            f"`{unset.site.call.func}` sets the context of this thread only, and workers compute with the default; use "
            "`localcontext()` in the worker",
            notes=unset.notes,
        )


RULE = Rule(
    code="CON513",
    name="decimal-context-not-in-workers",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor
            from decimal import Decimal, getcontext

            def share(number):
                return Decimal(number) / 7

            def main(numbers):
                getcontext().prec = 50  # expect: CON513
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(share, numbers))
            """),
        Bad("""
            import decimal
            import threading

            decimal.setcontext(decimal.Context(prec=40))  # expect: CON513

            class Worker(threading.Thread):
                def run(self):
                    self.total = self.sum()

                def sum(self):
                    return decimal.Decimal(1) / decimal.Decimal(3)

            def main():
                worker = Worker()
                worker.start()
                worker.join()
            """),
        Bad("""
            import decimal as d
            from multiprocessing.pool import ThreadPool

            def root(number):
                return d.Decimal(number).sqrt()

            def main(numbers):
                context = d.getcontext()  # expect: CON513
                context.rounding = d.ROUND_DOWN
                with ThreadPool() as pool:
                    return pool.map(root, numbers)
            """),
        Good("""
            import decimal
            from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
            from decimal import Decimal, getcontext, localcontext

            def share(number):
                with localcontext() as context:
                    context.prec = 50
                    return Decimal(number) / 7

            def child(number):
                return Decimal(number) / 7

            def main(numbers):
                getcontext().prec = 50
                digits = getcontext().prec
                with ThreadPoolExecutor() as pool:
                    list(pool.map(share, numbers))
                with ProcessPoolExecutor() as processes:
                    list(processes.map(child, numbers))
                return digits
            """),
        Good("""
            import decimal
            import threading

            decimal.DefaultContext.prec = 50
            print(decimal.getcontext().prec)

            def work():
                return decimal.Decimal(1) / 3

            threading.Thread(target=work).start()
            """),
    ),
)
