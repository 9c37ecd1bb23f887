"""An object that several threads use updates its own attribute without a lock, and updates get lost.

`self.hits += 1` reads, adds and writes.  When two threads call methods of one object, both may read the same number,
and of the two updates one is gone.  The same holds for `self.sizes[key] += 1` and `self.best = max(self.best, value)`.

Give the object a lock and hold it around every update: `self._lock = threading.Lock()` in `__init__`, `with
self._lock:` around.  Readers that need several attributes to fit together hold it too.

Threads that the program starts are one kind of evidence.  A class that takes a lock of its own is another: its author
means several threads to come.

Not reported: objects made and used within one thread, per-thread instances, one dedicated thread that alone updates,
updates in the constructor, before the start or after the join, and state under one lock, be it the object's own or
that of everybody who uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix
from conclint.program.evidence import Evidence
from conclint.program.observations import UPDATES
from conclint.program.telling import at_once, race_finding
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        access = race.moment.access
        if access.store.sort == "attribute" and not access.through_class and access.act in UPDATES:
            yield race_finding(
                race,
                f"`{access.text}` is updated without a lock {at_once(race)}: updates get lost; hold one lock of the "
                "object around each",
            )


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.locking import lock_statement

    return lock_statement(source, finding.place.span)


RULE = Rule(
    code="CON303",
    name="unlocked-instance-update",
    triggers=shared_state(),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor

            class Stats:
                def __init__(self):
                    self.hits = 0

                def hit(self):
                    self.hits += 1  # expect: CON303

            def main():
                stats = Stats()
                with ThreadPoolExecutor() as pool:
                    for _ in range(9):
                        pool.submit(stats.hit)
            """,
            fixed="""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            class Stats:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.hits = 0

                def hit(self):
                    with self._lock:
                        self.hits += 1  # expect: CON303

            def main():
                stats = Stats()
                with ThreadPoolExecutor() as pool:
                    for _ in range(9):
                        pool.submit(stats.hit)
            """,
        ),
        Bad(
            """
            import threading

            class Poller:
                def __init__(self):
                    self.guard = threading.Lock()
                    self.polls = 0

                def start(self):
                    threading.Thread(target=self._loop).start()

                def _loop(self):
                    while True:
                        self.polls += 1  # expect: CON303

                def poke(self):
                    self.polls += 1  # expect: CON303

            def main():
                poller = Poller()
                poller.start()
                poller.poke()
            """,
            fixed="""
            import threading

            class Poller:
                def __init__(self):
                    self.guard = threading.Lock()
                    self.polls = 0

                def start(self):
                    threading.Thread(target=self._loop).start()

                def _loop(self):
                    while True:
                        with self.guard:
                            self.polls += 1  # expect: CON303

                def poke(self):
                    with self.guard:
                        self.polls += 1  # expect: CON303

            def main():
                poller = Poller()
                poller.start()
                poller.poke()
            """,
        ),
        Bad("""
            import threading


            class Tickets:
                def __init__(self):
                    self._next = 0
                    self._taken = {}

                def take(self, name):
                    number = self._next
                    self._taken[number] = name
                    self._next = number + 1  # expect: CON303
                    return number


            tickets = Tickets()


            def main(names):
                for name in names:
                    threading.Thread(target=tickets.take, args=(name,)).start()
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor
            from threading import Lock

            class Stats:
                def __init__(self):
                    self._lock = Lock()
                    self.hits = 0

                def hit(self):
                    with self._lock:
                        self._add(1)

                def _add(self, number):
                    self.hits += number

            def main():
                stats = Stats()
                with ThreadPoolExecutor() as pool:
                    for _ in range(9):
                        pool.submit(stats.hit)
            """),
        Good("""
            import threading

            class Worker(threading.Thread):
                def __init__(self):
                    super().__init__()
                    self.seen = 0

                def run(self):
                    self.seen += 1  # each thread has its own

            def main():
                workers = [Worker() for _ in range(9)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
                return sum(worker.seen for worker in workers)
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            class Parser:
                def __init__(self):
                    self.tokens = 0

                def feed(self, text):
                    self.tokens += len(text.split())

            def parse(text):
                parser = Parser()  # made and used in the worker
                parser.feed(text)
                return parser.tokens

            def main(texts):
                with ThreadPoolExecutor() as pool:
                    return sum(pool.map(parse, texts))
            """),
    ),
)
