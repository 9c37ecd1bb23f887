"""The thread that is waited for here needs the lock that is held here: neither of them goes on.

`join()` comes back when the thread has ended, and the thread ends when it has had the lock; the lock is given back
when `join()` has come back.  It works as long as the thread happens to be elsewhere, and then the program stands still.
An RLock does not help: the thread is not its holder.  The same holds for `result()` and a job of an executor.

Say under the lock that the work is over, give the lock back, and wait then.
See https://docs.python.org/3/library/threading.html#threading.Thread.join

Not reported: `join(timeout)`, and threads that never take the lock.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.waiting import Wait
from conclint.model import Finding, Note
from conclint.program.contexts import site_place
from conclint.program.deadlocks import Embrace
from conclint.program.evidence import Evidence
from conclint.program.sections import steps_to
from conclint.program.triggers import held_locks
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for embrace in evidence.embraces:
        seen = embrace.waiting.under.seen
        what = "a thread" if embrace.waiting.wait is Wait.JOIN else "a job"
        yield Finding(
            seen.place,
            f"`{seen.text}` waits for {what} that needs `{embrace.lock.text}`, which is held here, and neither goes "
            "on; give the lock back first",
            notes=tuple(_notes(embrace)),
        )


def _notes(embrace: Embrace) -> Iterator[Note]:
    yield Note(site_place(embrace.lock.site), f"`{embrace.lock.text}` is taken here")
    yield from steps_to(embrace.waiting.path)
    if embrace.waiting.path:
        yield Note(site_place(embrace.waiting.at), f"`{embrace.waiting.at.call.func}` waits here")
    yield Note(site_place(embrace.root.site), f"what is waited for is made here, by `{embrace.root.site.call.func}`")
    for step in embrace.path:
        yield Note(site_place(step.site), f"it calls `{step.site.call.func}` here")
    yield Note(site_place(embrace.at.site), f"it takes the lock here, as `{embrace.at.text}`")


RULE = Rule(
    code="CON412",
    name="join-under-needed-lock",
    triggers=held_locks(),
    conclude=conclude,
    examples=(
        Bad("""
            import threading

            class Ticker:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._stopped = False
                    self._thread = threading.Thread(target=self._run)
                    self._thread.start()

                def _run(self):
                    while True:
                        with self._lock:
                            if self._stopped:
                                return

                def stop(self):
                    with self._lock:
                        self._stopped = True
                        self._thread.join()  # expect: CON412
            """),
        Bad("""
            from threading import Event, RLock, Thread

            class Refresher(Thread):
                def __init__(self, bar: "Bar"):
                    super().__init__()
                    self.bar = bar
                    self.done = Event()

                def stop(self):
                    self.done.set()
                    self.join()

                def run(self):
                    while not self.done.wait(0.1):
                        self.bar.refresh()

            class Bar:
                def __init__(self):
                    self._lock = RLock()
                    self._thread = Refresher(self)
                    self._thread.start()

                def refresh(self):
                    with self._lock:
                        print("...")

                def stop(self):
                    with self._lock:
                        self._thread.stop()  # expect: CON412
            """),
        Bad("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            guard = threading.Lock()
            counts = {}

            def count(text):
                with guard:
                    counts[text] = len(text)

            def main(text):
                with ThreadPoolExecutor() as pool:
                    future = pool.submit(count, text)
                    with guard:
                        future.result()  # expect: CON412
            """),
        Good("""
            import threading

            class Ticker:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._stopped = False
                    self._thread = threading.Thread(target=self._run)
                    self._thread.start()

                def _run(self):
                    while True:
                        with self._lock:
                            if self._stopped:
                                return

                def stop(self):
                    with self._lock:
                        self._stopped = True
                    self._thread.join()
            """),
        Good("""
            import threading

            class Beater:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._stop = threading.Event()
                    self._thread = threading.Thread(target=self._beat)
                    self._thread.start()

                def _beat(self):
                    while not self._stop.wait(1):
                        pass

                def stop(self):
                    with self._lock:  # the thread never asks for it
                        self._stop.set()
                        self._thread.join()
            """),
        Good("""
            import threading

            class Ticker:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._thread = threading.Thread(target=self._run)
                    self._thread.start()

                def _run(self):
                    with self._lock:
                        print("tick")

                def stop(self):
                    with self._lock:
                        self._thread.join(timeout=1)  # no longer than that
            """),
        Good("""
            import threading

            class Ticker:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._start_lock = threading.Lock()
                    self._thread = threading.Thread(target=self._run)
                    self._thread.start()

                def _run(self):
                    with self._lock:
                        print("tick")

                def stop(self):
                    with self._start_lock:  # another lock
                        self._thread.join()
            """),
    ),
)
