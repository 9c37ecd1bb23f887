"""A thread that redirects `sys.stdout` takes the output of all threads, and puts it back in the wrong order.

`contextlib.redirect_stdout` sets `sys.stdout` for the whole process.  What other threads print meanwhile lands in the
wrong buffer; and when two redirect at once, the one that leaves last puts the other's buffer back, so that output is
lost for good.  Hand a stream to what prints (`print(file=...)`), or run it in a process whose output is captured.

Not reported: a single worker, processes, and redirecting under a lock.

https://docs.python.org/3/library/contextlib.html#contextlib.redirect_stdout
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Setting
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import sets
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for doing in evidence.doings(Setting.STREAMS):
        if doing.other is not None and not doing.guarded:
            yield Finding(
                doing.change.place,
                f"`{doing.change.text}` in a worker takes the output of all threads, and several put it back in the "
                "wrong order; pass a stream to what prints instead",
                notes=doing.notes,
                when_asked=doing.far,
            )


RULE = Rule(
    code="CON511",
    name="stream-redirected-in-worker",
    triggers=sets(Setting.STREAMS),
    conclude=conclude,
    examples=(
        Bad("""
            import io
            from concurrent.futures import ThreadPoolExecutor
            from contextlib import redirect_stdout

            def job(call):
                with redirect_stdout(io.StringIO()) as buffer:  # expect: CON511
                    call()
                return buffer.getvalue()

            def main(calls):
                pool = ThreadPoolExecutor()
                return [pool.submit(job, call) for call in calls]
            """),
        Bad("""
            import io
            import sys
            import threading

            class Runner:
                def __init__(self, calls):
                    self.calls = calls

                def captured(self, call):
                    before = sys.stdout
                    sys.stdout = buffer = io.StringIO()  # expect: CON511
                    try:
                        call()
                    finally:
                        sys.stdout = before
                    return buffer.getvalue()

                def run(self):
                    for call in self.calls:
                        threading.Thread(target=self.captured, args=(call,)).start()
            """),
        Bad("""
            import contextlib
            import io
            from concurrent.futures import ThreadPoolExecutor

            def job():
                with contextlib.redirect_stderr(io.StringIO()):  # expect: CON511
                    call()

            def main(pool: ThreadPoolExecutor):
                pool.submit(job)  # beside whatever else the pool does
            """),
        Good("""
            import io
            from concurrent.futures import ThreadPoolExecutor

            def job(call):
                buffer = io.StringIO()
                call(file=buffer)
                return buffer.getvalue()

            def main(calls):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(job, calls))
            """),
        Good("""
            import contextlib
            import io
            import sys
            import threading
            from concurrent.futures import ThreadPoolExecutor
            from multiprocessing import Process

            def child(path):
                sys.stdout = open(path, "w")

            def console():
                with contextlib.redirect_stdout(io.StringIO()):
                    serve()

            def main(path):
                Process(target=child, args=(path,)).start()
                threading.Thread(target=console).start()
                with ThreadPoolExecutor(max_workers=1) as pool:
                    pool.submit(print, "alone")
            """),
    ),
)
