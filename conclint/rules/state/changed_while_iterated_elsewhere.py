"""A loop over a container that another thread changes meanwhile fails, or skips items.

A dict or set that gains or loses an item while a `for` runs over it raises `RuntimeError: dictionary changed size
during iteration`; so does a deque.  A list raises nothing: when an item is removed, the loop leaves out another one.

Iterate over a copy taken in one step: `for key in list(d):`, `for name, job in list(jobs.items()):`.  Or hold one lock
around the whole loop and around every change.

Not reported: loops over copies, one lock on both sides, containers filled before the first start, containers replaced
as a whole instead of changed, and appending to a list, which leaves the loop's place alone.
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
    for race in evidence.races:
        access = race.moment.access
        if access.act is Act.ITERATE:
            call = f"{access.text}.{access.operation}()" if access.operation != "for" else access.text
            yield race_finding(
                race,
                f"`{access.text}` is iterated while {rival(race)} can change it: the loop fails or skips items; "
                f"iterate over `list({call})`, or hold one lock on both sides",
            )


RULE = Rule(
    code="CON311",
    name="changed-while-iterated-elsewhere",
    triggers=shared_state(),
    conclude=conclude,
    examples=(
        Bad("""
            import threading
            import time

            RUNNING = {}

            def reap():
                while True:
                    for name, began in RUNNING.items():  # expect: CON311
                        if time.monotonic() - began > 60:
                            print(name, "is late")

            def main(names):
                threading.Thread(target=reap, daemon=True).start()
                for name in names:
                    RUNNING[name] = time.monotonic()
            """),
        Bad("""
            import threading

            class Hub:
                def __init__(self):
                    self.listeners = set()
                    threading.Thread(target=self._loop).start()

                def add(self, listener):
                    self.listeners.add(listener)

                def _loop(self):
                    while True:
                        for listener in self.listeners:  # expect: CON311
                            listener.send("tick")
            """),
        Good("""
            import threading
            import time

            RUNNING = {}

            def reap():
                while True:
                    for name, began in list(RUNNING.items()):
                        if time.monotonic() - began > 60:
                            print(name, "is late")

            def main(names):
                threading.Thread(target=reap, daemon=True).start()
                for name in names:
                    RUNNING[name] = time.monotonic()
            """),
        Good("""
            import threading

            class Hub:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.listeners = set()
                    threading.Thread(target=self._loop).start()

                def add(self, listener):
                    with self._lock:
                        self.listeners.add(listener)

                def _loop(self):
                    while True:
                        with self._lock:
                            for listener in self.listeners:
                                listener.send("tick")
            """),
        Good("""
            import threading

            ROUTES = {}

            def show():
                for path in ROUTES:
                    print(path)

            def main(paths):
                for path in paths:
                    ROUTES[path] = len(path)
                shown = threading.Thread(target=show)  # all are there when it starts
                shown.start()
                shown.join()
            """),
    ),
)
