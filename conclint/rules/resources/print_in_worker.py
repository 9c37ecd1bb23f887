"""Lines that several threads or processes print at once run into each other.

`print` writes the text and the line end in two steps, and a line longer than the buffer in even more.  Two threads, or
two processes with the same terminal, mix their pieces.  A logger writes each record under its lock; or let the workers return
what is to be said, and print it in one place.

Not reported: a single worker beside a silent main thread, output under one lock, and `file=` an object of the worker's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

PRINTING = ("builtins.print", "sys.stdout.write", "pprint.pprint", "pprint.pp")


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        if not source.calls(call, *PRINTING) or source.argument(call, "file") is not None:
            continue
        function = source.function(call)
        runs = function.runs_in(Context.THREAD, Context.PROCESS) if function is not None else ()
        many = next((run for run in runs if run.many), None)
        if many is not None and not source.held(call):
            yield Finding(
                source.place(call),
                "several workers print here at once and their lines mix; log instead, or print under one lock",
                notes=many.trace,
            )


RULE = Rule(
    code="CON510",
    name="print-in-worker",
    triggers=calls(*PRINTING, runs_in=(Context.THREAD, Context.PROCESS)),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def job(number):
                print("done", number)  # expect: CON510

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(job, range(9)))
            """),
        Good("""
            import logging
            from concurrent.futures import ThreadPoolExecutor

            def job(number):
                logging.info("done %s", number)

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(job, range(9)))
            """),
    ),
)
