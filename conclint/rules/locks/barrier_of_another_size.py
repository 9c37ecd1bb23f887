"""More parties are expected at this barrier than ever come, so those who come wait for ever.

`Barrier(3)` lets nobody through before the third `wait`.  If only two threads come to it they wait for ever; and if a
pool of two workers runs the three jobs, the third never starts, because the first two wait for it.  When more come than
it holds, the last ones wait for company that does not arrive.

Make the barrier for as many as come, out of the same number; and give it a `timeout`, so that a thread that fails on
its way ends the waiting of the others.  See https://docs.python.org/3/library/threading.html#barrier-objects

Only numbers that stand in the code are compared: not reported are barriers whose number, or whose threads', is
computed, that are handed to other functions, or whose threads are started on a condition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.barriers import meetings

    for meeting in meetings(source):
        if meeting.coming % meeting.parties:
            yield Finding(
                source.place(meeting.call),
                f"the barrier is for {meeting.parties}, but {meeting.coming} come to it at once, and some wait for "
                "ever; make it for as many as come",
            )


RULE = Rule(
    code="CON427",
    name="barrier-of-another-size",
    triggers=calls("threading.Barrier", "multiprocessing.Barrier"),
    check=check,
    examples=(
        Bad("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            def main():
                barrier = threading.Barrier(3)  # expect: CON427
                with ThreadPoolExecutor(2) as pool:
                    futures = [pool.submit(barrier.wait) for _ in range(3)]
                return [future.result() for future in futures]
            """),
        Bad("""
            from threading import Barrier, Thread

            def work(number, gate):
                gate.wait()
                print(number)

            def main():
                gate = Barrier(5)  # expect: CON427
                threads = [Thread(target=work, args=(number, gate)) for number in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            def main(count):
                barrier = threading.Barrier(3, timeout=10)
                with ThreadPoolExecutor(3) as pool:
                    futures = [pool.submit(barrier.wait) for _ in range(3)]
                other = threading.Barrier(count)
                with ThreadPoolExecutor(2) as pool:
                    futures += [pool.submit(other.wait) for _ in range(2)]
                return [future.result() for future in futures]
            """),
        Good("""
            from threading import Barrier, Thread

            def main():
                gate = Barrier(5)

                def work(number):
                    gate.wait()
                    print(number)

                threads = [Thread(target=work, args=(number,)) for number in range(4)]
                for thread in threads:
                    thread.start()
                gate.wait()  # the fifth
                for thread in threads:
                    thread.join()
            """),
        Good("""
            from threading import Barrier, Thread

            def main(more):
                gate = Barrier(2)

                def work():
                    gate.wait()

                threads = [Thread(target=work)]
                if more:
                    threads.append(Thread(target=work))
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            """),
    ),
)
