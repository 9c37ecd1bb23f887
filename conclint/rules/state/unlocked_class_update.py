"""A class attribute belongs to all instances, and so to all threads: unlocked updates of it get lost.

`Job.done += 1` reads, adds and writes.  Every instance of `Job`, in whichever thread it runs, updates the same
number, and of two updates at the same time one is lost.  That each thread has its own instance does not help.

Hold one lock of the class around every update: `_lock = threading.Lock()` in the class body, `with Job._lock:` around.
Or keep the number on the instance, set in `__init__`, and add them up at the end.

Not reported: attributes that `__init__` sets on the instance, registries filled while modules are imported, plain
rebinding (`Job.last = job` is one step), and updates under one lock, the callers' locks included.  Threads that number
themselves in their constructor are shown to those who select CON302.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix
from conclint.program.evidence import Evidence
from conclint.program.observations import UPDATES, Access
from conclint.program.telling import at_once, race_finding
from conclint.program.triggers import shared_state
from conclint.program.values import function_id, split_id
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

THREAD = "threading.Thread"


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        access = race.moment.access
        if access.store.sort == "attribute" and access.through_class and access.act in UPDATES:
            found = race_finding(
                race,
                f"`{access.text}` is one for all instances and is updated without a lock {at_once(race)}: updates get "
                "lost; hold one lock of the class around each",
            )
            yield replace(found, when_asked=True) if _names_threads(evidence, access) else found


def _names_threads(evidence: Evidence, access: Access) -> bool:
    """Whether constructors of threads count themselves, most likely for their names."""
    path, qualname = split_id(access.function)
    owner, _, name = qualname.rpartition(".")
    return name == "__init__" and THREAD in evidence.program.names.classes.mro(function_id(path, owner))


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.locking import lock_statement

    return lock_statement(source, finding.place.span, of_class=True)


RULE = Rule(
    code="CON302",
    name="unlocked-class-update",
    triggers=shared_state(),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import threading

            class Job:
                done = 0

                def run(self):
                    Job.done += 1  # expect: CON302

            def main():
                for _ in range(9):
                    threading.Thread(target=Job().run).start()
            """,
            fixed="""
            import threading

            class Job:
                done = 0
                _lock = threading.Lock()

                def run(self):
                    with Job._lock:
                        Job.done += 1  # expect: CON302

            def main():
                for _ in range(9):
                    threading.Thread(target=Job().run).start()
            """,
        ),
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor

            class Parser:
                errors = {}

                @classmethod
                def fail(cls, kind):
                    cls.errors[kind] = cls.errors.get(kind, 0) + 1  # expect: CON302

            def parse(text):
                if not text:
                    Parser.fail("empty")

            def parse_all(texts):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(parse, texts))
            """,
            fixed="""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            class Parser:
                errors = {}
                _lock = threading.Lock()

                @classmethod
                def fail(cls, kind):
                    with Parser._lock:
                        cls.errors[kind] = cls.errors.get(kind, 0) + 1  # expect: CON302

            def parse(text):
                if not text:
                    Parser.fail("empty")

            def parse_all(texts):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(parse, texts))
            """,
        ),
        Good("""
            import threading

            class Job:
                done = 0
                _lock = threading.Lock()

                def run(self):
                    with Job._lock:
                        Job.done += 1

            def main():
                for _ in range(9):
                    threading.Thread(target=Job().run).start()
            """),
        Good("""
            import threading

            class Job:
                done = 0  # only the default: each instance has its own

                def run(self):
                    self.done += 1

            def main():
                for _ in range(9):
                    threading.Thread(target=Job().run).start()
            """),
        Good("""
            import threading

            class Plugin:
                count = 0

                def __init_subclass__(cls):
                    Plugin.count += 1  # while modules are imported, by one thread

                def run(self):
                    return Plugin.count

            class Mail(Plugin):
                pass

            def main():
                for _ in range(9):
                    threading.Thread(target=Mail().run).start()
            """),
    ),
)
