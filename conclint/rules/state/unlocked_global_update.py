"""A global that threads update without a lock loses updates.

`count += 1` is three steps: read, add, write.  Between the first and the last another thread can do the same, and
one of the two updates is gone.  The GIL does not help: it may change hands between any two steps.  The same holds for
`x = x + 1`, `d[k] += 1` and `d[k] = d.get(k, 0) + 1`, and for a variable that a nested function shares with threads.

Hold one lock around every update: `with lock: count += 1`.  Or let each thread count for itself and add up the
results that the executor returns.

Not reported: updates that only one thread makes, updates before the first thread starts or after the last is joined,
a plain `x = value` or `items.append(x)` (one step under the GIL, says the Python FAQ), state guarded by one lock at
every access, and accesses that every caller makes under the same lock.
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
        if access.store.sort != "attribute" and access.act in UPDATES:
            yield race_finding(
                race,
                f"`{access.text}` is updated without a lock {at_once(race)}: updates get lost; "
                "hold one lock around each",
            )


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.locking import lock_statement

    return lock_statement(source, finding.place.span)


RULE = Rule(
    code="CON301",
    name="unlocked-global-update",
    triggers=shared_state(),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import threading

            count = 0

            def work():
                global count
                count += 1  # expect: CON301

            def main():
                threads = [threading.Thread(target=work) for _ in range(8)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            """,
            fixed="""
            import threading

            count = 0
            count_lock = threading.Lock()

            def work():
                global count
                with count_lock:
                    count += 1  # expect: CON301

            def main():
                threads = [threading.Thread(target=work) for _ in range(8)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            """,
        ),
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor

            hits = {}

            def visit(url):
                host = url.split("/")[2]
                hits[host] = hits.get(host, 0) + 1  # expect: CON301

            def visit_all(urls):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(visit, urls))
                return hits
            """,
            fixed="""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            hits = {}
            hits_lock = threading.Lock()

            def visit(url):
                host = url.split("/")[2]
                with hits_lock:
                    hits[host] = hits.get(host, 0) + 1  # expect: CON301

            def visit_all(urls):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(visit, urls))
                return hits
            """,
        ),
        Good("""
            import threading

            count = 0
            lock = threading.Lock()

            def work():
                global count
                with lock:
                    count += 1

            def main():
                threads = [threading.Thread(target=work) for _ in range(8)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            total = 0

            def size(path):
                return len(open(path).read())

            def add_up(paths):
                global total
                with ThreadPoolExecutor() as pool:
                    for one in pool.map(size, paths):
                        total += one  # only the main thread does this
            """),
        Good("""
            import threading

            beats = 0

            def beat(stop):
                global beats
                while not stop.wait(1):
                    beats += 1  # one thread, and nobody else writes

            def main():
                stop = threading.Event()
                heart = threading.Thread(target=beat, args=(stop,))
                heart.start()
                stop.set()
                heart.join()
                print(beats)
            """),
    ),
)
