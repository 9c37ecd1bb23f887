"""A loop over a container that another thread changes meanwhile fails, or skips items.

A dict or set that gains or loses an item while a `for` runs over it raises `RuntimeError: dictionary changed size
during iteration`; so does a deque.  A list raises nothing: when an item is removed, the loop leaves out another one.

`json.dump` and `copy.deepcopy` are such loops too, and so is `json.dumps` with `indent`.

In projects that run without the GIL, dicts, sets and deques are CON909.

The interpreter's own tables belong to all threads: `sys.modules` grows with every import, `globals()` with every first
assignment.

Iterate over a copy taken in one step: `for key in list(d):`, `for name, job in list(jobs.items()):`.  Or hold one lock
around the whole loop and around every change.

Not reported: loops over copies, one lock on both sides, containers filled before the first start, containers replaced
as a whole instead of changed (and at most emptied in the end), new values for keys that are there, and appending to a
list, which leaves the loop's place alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from conclint.knowledge.containers import WALKING
from conclint.model import Finding, Fix, Safety
from conclint.program.evidence import Evidence
from conclint.program.freely import walks_freely
from conclint.program.observations import ITEM_WALKED, Act
from conclint.program.races import Race
from conclint.program.telling import race_finding, rival
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.source import Source

# Where none of these is imported, the author may never have thought of threads.
THREADS = re.compile(r"^\s*(?:import|from)\s+(?:threading|concurrent|_thread|socketserver)\b", re.MULTILINE)


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        access = race.moment.access
        inner = access.operation == ITEM_WALKED
        if inner or (access.act is Act.ITERATE and not walks_freely(evidence.program, race)):
            yield race_finding(race, _whole(race) if access.operation in WALKING else _loop(race))


def _loop(race: Race) -> str:
    access = race.moment.access
    view = "" if access.operation in ("for", ITEM_WALKED) else f".{access.operation}()"
    return (
        f"`{access.text}` is iterated while {rival(race)} can change it: the loop fails or skips items; "
        f"iterate over `list({access.text}{view})`, or hold one lock on both sides"
    )


def _whole(race: Race) -> str:
    access = race.moment.access
    return (
        f"`{access.operation}` walks over `{access.text}` while {rival(race)} can change it: it fails or skips items; "
        f"give it `{access.text}.copy()`, or hold one lock on both sides"
    )


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.interpreter import live_tables

    threads = THREADS.search(source.text.text) is not None
    for table in live_tables(source):
        yield Finding(
            source.place(table.node),
            f"`{table.name}` is iterated as it is, and {table.changed} in any thread changes it meanwhile: "
            f"RuntimeError; iterate over `list({table.text})`",
            fix=Fix("iterate over a copy", (source.replace(table.node, f"list({table.text})"),), Safety.SAFE),
            when_asked=not threads,
        )


RULE = Rule(
    code="CON311",
    name="changed-while-iterated-elsewhere",
    triggers=Triggers(state=True, walked=frozenset({"sys.modules"}), calls=frozenset({"builtins.globals"})),
    check=check,
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
                        for number, listener in enumerate(self.listeners):  # expect: CON311
                            listener.send(f"tick {number}")
            """),
        Bad(
            """
            import sys
            from concurrent.futures import ThreadPoolExecutor


            def loaded(prefix):
                return [name for name in sys.modules.keys() if name.startswith(prefix)]  # expect: CON311


            def models(base):
                for value in globals().values():  # expect: CON311
                    if isinstance(value, type) and issubclass(value, base):
                        yield value


            def main(prefixes):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(loaded, prefixes))
            """,
            fixed="""
            import sys
            from concurrent.futures import ThreadPoolExecutor


            def loaded(prefix):
                return [name for name in list(sys.modules.keys()) if name.startswith(prefix)]  # expect: CON311


            def models(base):
                for value in list(globals().values()):  # expect: CON311
                    if isinstance(value, type) and issubclass(value, base):
                        yield value


            def main(prefixes):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(loaded, prefixes))
            """,
        ),
        Good("""
            import sys
            import threading

            for name in globals().copy():
                print(name)


            def loaded(prefix):
                modules = dict(sys.modules)
                for name in list(sys.modules):
                    if name.startswith(prefix):
                        yield modules[name]


            def known(name):
                return sys.modules[name] if name in sys.modules else threading
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
