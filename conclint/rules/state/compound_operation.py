"""An operation that reads and then writes shared state looks like one step and is two.

`history.append(history[-1] + 1)`, `table[i] = table[j]`: both are on the Python FAQ's list of what is *not* atomic.
Between the read and the write another thread can change what was read, and the result rests on something that is no
longer so.

Hold one lock around the whole statement, and around every other change of the same container.

Not reported: single operations (`append`, `d[k] = v`, `pop`, `sort`), containers that one thread has for itself, and
state under one lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix
from conclint.program.evidence import Evidence
from conclint.program.observations import Act
from conclint.program.telling import race_finding, rival
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        access = race.moment.access
        if access.act is Act.COMPOUND:
            yield race_finding(
                race,
                f"`{access.text}` is read and then changed in two steps, and {rival(race)} can change it in between; "
                "hold one lock around both",
            )


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.locking import lock_statement

    return lock_statement(source, finding.place.span)


RULE = Rule(
    code="CON312",
    name="compound-operation",
    triggers=shared_state(),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor

            HISTORY = [0]

            def push(number):
                HISTORY.append(HISTORY[-1] + number)  # expect: CON312

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(push, range(9)))
            """,
            fixed="""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            HISTORY = [0]
            HISTORY_LOCK = threading.Lock()

            def push(number):
                with HISTORY_LOCK:
                    HISTORY.append(HISTORY[-1] + number)  # expect: CON312

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(push, range(9)))
            """,
        ),
        Bad("""
            import threading

            class Table:
                def __init__(self):
                    self.cells = [0] * 64

                def shift(self, place):
                    self.cells[place] = self.cells[place - 1]  # expect: CON312

            table = Table()

            def main():
                for place in range(1, 64):
                    threading.Thread(target=table.shift, args=(place,)).start()
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            HISTORY = [0]
            lock = threading.Lock()

            def push(number):
                with lock:
                    HISTORY.append(HISTORY[-1] + number)

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(push, range(9)))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def fibonacci(count):
                numbers = [1, 1]
                while len(numbers) < count:
                    numbers.append(numbers[-1] + numbers[-2])
                return numbers

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(fibonacci, range(9)))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            SEEN = []

            def see(name):
                SEEN.append(name)  # one step
                SEEN.sort()

            def main(names):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(see, names))
            """),
    ),
)
