"""Of two threads that see one item left in the list, the second finds none.

`if jobs: job = jobs.pop(0)` looks, then takes.  Each step alone is safe, both together are not: `pop from empty list`
ends the slower worker, and whatever it would have done next.

`queue.Queue` and `queue.SimpleQueue` are made for it: `get()` waits for work, `get_nowait()` raises `queue.Empty`.
With a `collections.deque`, take first and ask later: `try: job = jobs.popleft()`, `except IndexError: break`.

Not reported: one lock around both steps, `try` around the taking, lists that one thread has for itself, and whatever
happens before the first start or after the last join. Where only a lock says that several threads come, it is shown to
those who select CON313.

See https://docs.python.org/3/library/queue.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.observations import NEXT, Act
from conclint.program.telling import race_finding, rival
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        access = race.moment.access
        if access.act is Act.CHECK_ACT and access.operation == NEXT:
            found = race_finding(
                race,
                f"`{access.text}` is asked for an item and then gives one, and {rival(race)} can take it in between; "
                "use a `queue.Queue`, or take it in a `try`",
            )
            yield found if race.promise is None else replace(found, when_asked=True)


RULE = Rule(
    code="CON313",
    name="list-as-work-queue",
    triggers=shared_state(),
    conclude=conclude,
    examples=(
        Bad("""
            import threading

            JOBS = []


            def work():
                while JOBS:  # expect: CON313
                    job = JOBS.pop(0)
                    job()


            def main(jobs):
                JOBS.extend(jobs)
                for _ in range(4):
                    threading.Thread(target=work).start()
            """),
        Bad("""
            from collections import deque
            from concurrent.futures import ThreadPoolExecutor


            class Crawler:
                def __init__(self, urls):
                    self.todo = deque(urls)
                    self.seen = 0

                def crawl(self):
                    while True:
                        if len(self.todo) > 0:  # expect: CON313
                            fetch(self.todo.popleft())
                        if not self.todo:  # expect: CON313
                            break
                        url = self.todo.popleft()
                        fetch(url)


            def fetch(url):
                return url


            def main(urls):
                crawler = Crawler(urls)
                with ThreadPoolExecutor() as pool:
                    for _ in range(4):
                        pool.submit(crawler.crawl)
            """),
        Good("""
            import queue
            import threading
            from collections import deque

            JOBS = queue.Queue()
            LATER = deque()
            LOCK = threading.Lock()
            LAST = []


            def work():
                while True:
                    try:
                        job = JOBS.get_nowait()
                    except queue.Empty:
                        break
                    job()
                while LATER:
                    try:
                        job = LATER.popleft()
                    except IndexError:
                        break
                    job()
                while True:
                    with LOCK:
                        if not LAST:
                            break
                        job = LAST.pop()
                    job()


            def main():
                for _ in range(4):
                    threading.Thread(target=work).start()
            """),
        Good("""
            import threading


            def work(jobs):
                mine = list(jobs)
                while mine:
                    mine.pop()()


            def main(jobs):
                for _ in range(4):
                    threading.Thread(target=work, args=(jobs,)).start()
            """),
        Good("""
            import threading

            JOBS = []


            def work():
                if JOBS:
                    JOBS.pop()()


            def main(jobs):
                JOBS.extend(jobs)
                worker = threading.Thread(target=work)  # the only one, and main waits
                worker.start()
                worker.join()
            """),
    ),
)
