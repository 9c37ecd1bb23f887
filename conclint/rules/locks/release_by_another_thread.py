"""An RLock remembers who took it, and only that thread can give it back: here another one tries.

`RLock.release` raises RuntimeError ("cannot release un-acquired lock") in every thread but the holder's, and the lock
stays held.  In a worker nobody sees the exception.

To let another thread say that something is over use an Event, or a Semaphore, which anybody may release.
See https://docs.python.org/3/library/threading.html#threading.RLock.release

Not reported: a plain Lock, which any thread may release, and threads that take the lock themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding, Note
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.releases import Releases
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for found in Releases(evidence.program).all():
        taken = found.taken
        yield Finding(
            site_place(found.site),
            f"`{found.text}` runs in a thread that has not taken the lock, and raises RuntimeError; use an Event to "
            "tell another thread something",
            notes=(Note(site_place(taken.site), f"`{taken.text}` is taken here"),) if taken is not None else (),
        )


RULE = Rule(
    code="CON421",
    name="release-by-another-thread",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            def main():
                done = threading.RLock()
                done.acquire()
                with ThreadPoolExecutor() as pool:
                    return pool.submit(done.release)  # expect: CON421
            """),
        Bad("""
            from threading import RLock, Thread

            class Turn:
                def __init__(self):
                    self._mine = RLock()
                    self._thread = Thread(target=self._work)

                def begin(self):
                    self._mine.acquire()
                    self._thread.start()

                def _work(self):
                    print("working")
                    self._mine.release()  # expect: CON421
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            def main():
                done = threading.Event()
                turn = threading.Lock()
                turn.acquire()
                with ThreadPoolExecutor() as pool:
                    return pool.submit(done.set), pool.submit(turn.release)  # anybody may
            """),
        Good("""
            from threading import RLock, Thread

            class Turn:
                def __init__(self):
                    self._mine = RLock()
                    self._thread = Thread(target=self._work)

                def begin(self):
                    with self._mine:
                        self._thread.start()

                def _take(self):
                    self._mine.acquire()

                def _work(self):
                    self._take()
                    try:
                        print("working")
                    finally:
                        self._mine.release()
            """),
    ),
)
