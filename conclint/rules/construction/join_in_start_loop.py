"""A thread that is started and joined in the same round of a loop runs alone.

`join` waits until the thread has ended, and only then does the loop begin the next one: everything runs one after the
other, as without threads, and each round pays for a new thread (or process) besides.

Start all of them first and join them in a second loop; or give the items to an executor.

Not reported: `join(timeout)`, a watchdog that gives up on what hangs; a loop that does work of its own between start
and join; a thread that is joined only sometimes; one that is started again and again by a supervisor; a big stack,
which only a new thread can have; and tests, which may want one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import PROCESS, THREAD
from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.alone import Round, rounds
from conclint.source.apart import apart

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    for one in rounds(source):
        what = _what(source, one)
        yield Finding(
            source.place(one.join),
            f"each {what} has ended before the next begins; start all first, then join them, or use an executor",
            notes=(Note(source.place(one.start), "started here, in the same round"),),
            fix=apart(source, one),
        )


def _what(source: Source, one: Round) -> str:
    func = one.join.func
    types = source.types(func.value) if isinstance(func, cst.Attribute) else ()
    return "process" if PROCESS in types else "thread"


RULE = Rule(
    code="CON105",
    name="join-in-start-loop",
    triggers=calls(f"{THREAD}.join", f"{PROCESS}.join"),
    check=check,
    examples=(
        Bad(
            """
            import threading

            def convert(path):
                print(path)

            def convert_all(paths):
                for path in paths:
                    thread = threading.Thread(target=convert, args=(path,))
                    thread.start()
                    thread.join()  # expect: CON105
            """,
            fixed="""
            import threading

            def convert(path):
                print(path)

            def convert_all(paths):
                threads = []
                for path in paths:
                    thread = threading.Thread(target=convert, args=(path,))
                    thread.start()
                    threads.append(thread)  # expect: CON105
                for thread in threads:
                    thread.join()
            """,
        ),
        Bad(
            """
            from multiprocessing import Process

            def convert(path):
                print(path)

            def convert_all(paths):
                processes = [Process(target=convert, args=(path,)) for path in paths]
                for process in processes:
                    process.start()
                    process.join()  # expect: CON105
            """,
            fixed="""
            from multiprocessing import Process

            def convert(path):
                print(path)

            def convert_all(paths):
                processes = [Process(target=convert, args=(path,)) for path in paths]
                for process in processes:
                    process.start()
                for process in processes:
                    process.join()  # expect: CON105
            """,
        ),
        Good("""
            import threading

            def convert(path):
                print(path)

            def convert_all(paths):
                stuck = []
                for path in paths:
                    thread = threading.Thread(target=convert, args=(path,))
                    thread.start()
                    thread.join(30)
                    if thread.is_alive():
                        stuck.append(path)
                return stuck
            """),
        Good("""
            import threading

            def convert(path):
                print(path)

            def upload(path):
                print(path)

            def both(paths):
                for path in paths:
                    thread = threading.Thread(target=convert, args=(path,))
                    thread.start()
                    upload(path)
                    thread.join()
            """),
        Good("""
            import threading

            def serve():
                print("serving")

            def supervise(log):
                while True:
                    thread = threading.Thread(target=serve)
                    thread.start()
                    thread.join()
                    log.warning("it ended; once more")
            """),
    ),
)
