"""Others see the list while it changes: empty while it is sorted, with an item twice or not at all while items move.

`list.sort` takes the items out, sorts them and puts them back; meanwhile the list is empty, and who changes it makes
the sort fail with a ValueError.  `insert`, `pop(0)` and `*=` move items one by one.  With the GIL nobody runs in
between as long as only built-in types are compared.  Without it a reader gets an IndexError, a wrong length, or the
wrong item.

Hold one lock around the change and around each look.  Or replace the list as a whole: `ITEMS = sorted(ITEMS)`; a
reader has the old one or the new one.  For taking from the front there is `collections.deque`.

Said only of projects that run without the GIL: `free-threaded = true`, or a classifier that says so.

Not reported: lists that one thread has for itself, one lock on both sides, `append`, `pop()` and other single steps,
and what happens before the first start or after the last join.  A test and a `pop(0)` behind it are CON313.

See https://docs.python.org/3/library/threadsafety.html#thread-safety-list.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.observations import Act
from conclint.program.telling import race_finding, rival
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.program.options.free_threaded:
        return
    accesses = [race.moment.access for race in evidence.races]
    asked = {(access.store, access.function) for access in accesses if access.act is Act.CHECK_ACT}
    for race in evidence.races:
        access = race.moment.access
        if access.act is Act.UNSTEADY and (access.store, access.function) not in asked:
            written = f"`{access.text} *=`" if access.operation == "*=" else f"`{access.text}.{access.operation}()`"
            state = "empty" if access.operation == "sort" else "half changed"
            yield race_finding(
                race,
                f"{written} is no single step without the GIL, and {rival(race)} can find the list {state}; hold one "
                f"lock on both sides, or put a new list in its place",
            )


RULE = Rule(
    code="CON903",
    name="list-seen-half-changed",
    triggers=shared_state(),
    conclude=conclude,
    examples=(
        Bad(
            """
            import threading

            SHARED = []


            def rank():
                while True:
                    SHARED.sort()  # expect: CON903


            def best():
                return SHARED[0]


            def main(numbers):
                SHARED.extend(numbers)
                threading.Thread(target=rank, daemon=True).start()
                return [best() for _ in range(9)]
            """,
            free_threaded=True,
        ),
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor


            class Board:
                def __init__(self):
                    self.lines = []
                    self.scores = []

                def post(self, line):
                    self.lines.insert(0, line)  # expect: CON903
                    if len(self.lines) > 9:
                        print("full")

                def add(self, score):
                    self.scores.append(score)
                    self.scores.sort(reverse=True)  # expect: CON903


            def main(lines):
                board = Board()
                with ThreadPoolExecutor() as pool:
                    list(pool.map(board.post, lines))
                    list(pool.map(board.add, range(9)))
            """,
            free_threaded=True,
        ),
        Bad(
            """
            from threading import Thread as Worker

            recent = [1, 2, 3]


            def rotate():
                for _ in range(99):
                    _drop()


            def _drop():
                global recent
                recent.pop(0)  # expect: CON903
                recent *= 2  # expect: CON903


            def watch():
                for number in range(99):
                    print(number in recent, len(recent))


            def main():
                Worker(target=rotate).start()
                Worker(target=watch).start()
            """,
            free_threaded=True,
        ),
        Good(
            """
            import threading

            SHARED = []
            LOCK = threading.Lock()


            def rank():
                while True:
                    with LOCK:
                        SHARED.sort()


            def best():
                with LOCK:
                    return SHARED[0]


            def main(numbers):
                threading.Thread(target=rank, daemon=True).start()
                return [best() for _ in range(9)]
            """,
            free_threaded=True,
        ),
        Good(
            """
            import threading

            SHARED = []
            LOG = []


            def rank():
                global SHARED
                while True:
                    SHARED = sorted(SHARED)
                    mine = list(SHARED)
                    mine.sort()
                    mine.insert(0, 1)
                    LOG.append(mine)
                    LOG.pop()


            def best():
                return SHARED[0], LOG[-1]


            def main(numbers):
                SHARED.extend(numbers)
                SHARED.sort()  # before there is a thread
                thread = threading.Thread(target=rank)
                thread.start()
                best()
                thread.join()
                LOG.sort()  # and after
            """,
            free_threaded=True,
        ),
        Good("""
            import threading

            SHARED = []


            def rank():
                while True:
                    SHARED.sort()  # one step, as long as there is a GIL


            def main(numbers):
                SHARED.extend(numbers)
                threading.Thread(target=rank, daemon=True).start()
                return SHARED[0]
            """),
    ),
)
