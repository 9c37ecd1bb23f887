"""Several threads take from one generator, and a generator runs for one of them at a time.

While one thread is inside the generator's code, the next thread that asks gets `ValueError: generator already
executing`, most often in a worker where nobody sees it; items are then missing, and it depends on the day which.

Let one thread consume the generator and feed the others, with `pool.map(work, items())` or a `queue.Queue`; or hold one
lock around each `next()`.

https://docs.python.org/3/reference/expressions.html#generator-iterator-methods
https://docs.python.org/3/howto/free-threading-python.html#iterators

Not reported: a generator for each thread; a single thread beside a main thread that leaves the generator alone, or
takes from that of an object, which may be another one; takes under one lock; iterators of queues, of lists and of
`itertools`, which are no generators and take one step under the GIL.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Unshared
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import uses
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for shared in evidence.shared(Unshared.GENERATOR):
        access = shared.used.access
        beside_main = any(moment is not None and moment.run is None for moment in (shared.one, shared.other))
        if beside_main and access.store.sort == "attribute":
            continue  # of objects of one class some are used in threads, and others in the main thread
        yield Finding(
            access.place,
            f"several threads take from the generator `{access.text}`, and who comes while it runs gets a ValueError; "
            "let one thread feed the others, or hold one lock around each take",
            notes=shared.notes,
        )


RULE = Rule(
    code="CON321",
    name="generator-shared-by-threads",
    triggers=uses(Unshared.GENERATOR),
    conclude=conclude,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            def produce():
                for number in range(9):
                    yield number

            def main():
                items = produce()
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(lambda _: next(items), range(4)))  # expect: CON321
            """),
        Bad("""
            import threading

            def read(path):
                with open(path) as file:
                    for line in file:
                        yield line.strip()

            lines = read("names.txt")

            def work():
                for line in lines:  # expect: CON321
                    print(line)

            def main():
                threads = [threading.Thread(target=work) for _ in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            """),
        Bad("""
            import threading

            class Crawler:
                def __init__(self, urls):
                    self._urls = (url.strip() for url in urls)

                def start(self):
                    for _ in range(4):
                        threading.Thread(target=self._run).start()

                def _run(self):
                    while True:
                        try:
                            url = next(self._urls)  # expect: CON321
                        except StopIteration:
                            return
                        print(url)
            """),
        Bad("""
            import threading

            def numbers():
                yield from range(9)

            def work(source):
                for number in source:  # expect: CON321
                    print(number)

            def main():
                shared = numbers()
                for _ in range(3):
                    threading.Thread(target=work, args=(shared,)).start()
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            lock = threading.Lock()

            def produce():
                yield from range(9)

            shared = produce()

            def locked():
                with lock:
                    return next(shared)

            def own():
                items = produce()
                return next(items), [item for item in produce()]

            def handle(item):
                return item

            def main():
                items = produce()
                with ThreadPoolExecutor() as pool:
                    for _ in range(3):
                        pool.submit(locked)
                        pool.submit(own)
                    return list(pool.map(handle, items)), next(items)
            """),
        Good("""
            import threading

            class Reader:
                def __init__(self):
                    self.lock = threading.Lock()
                    self.parser = self.parse()
                    next(self.parser)

                def parse(self):
                    while True:
                        yield

                def feed(self):
                    with self.lock:
                        next(self.parser)

                def fail(self):
                    self.parser = self.parse()
                    next(self.parser)  # nobody else has it yet

                def run(self):
                    threading.Thread(target=self.feed).start()
                    threading.Thread(target=self.fail).start()
            """),
        Good("""
            import itertools
            import queue
            import threading
            from contextlib import contextmanager

            numbers = itertools.count()
            todo = queue.Queue()
            rest = iter(todo.get, None)

            @contextmanager
            def opened():
                yield 1

            def work():
                with opened() as one:
                    print(one, next(numbers))
                for item in rest:
                    print(item)

            def feed():
                yield from range(9)

            def main():
                only = feed()
                for _ in range(3):
                    threading.Thread(target=work).start()
                    mine = feed()
                    threading.Thread(target=lambda: list(mine)).start()
                threading.Thread(target=consume, args=(only,)).start()

            def consume(items):
                for item in items:
                    todo.put(item)
            """),
    ),
)
