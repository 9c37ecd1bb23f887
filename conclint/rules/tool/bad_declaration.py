"""This declaration declares nothing: what it names is not there, or it does not say enough.

What an author says of threads beats what conclint infers.  It is said in comments, on the line that it is about, or
alone on the line above it:

- `# guarded by: self._lock` (or `# guarded-by:`) where an attribute, a class attribute or a global is assigned: it is
  read and written under that lock only, and CON304 reports every access without it, however many there are.
  `items: Annotated[list, GuardedBy("_lock")]` says the same, whoever defines `GuardedBy`.
- `# conclint: thread-safe` on a class: several threads may use one object.  On a function or a line: it was looked at,
  and no race is reported there.
- `# conclint: not-thread-safe` on a class or function: whoever shares it keeps the threads apart.
- `# conclint: main-thread` on a function or class: only the main thread runs it.
- `# conclint: benign-race -- reason` on a line, function or class: threads may meet there and it does no harm.  Where
  the state is made (`self.hits = 0`) it holds for every use of it.

They hide findings about shared state (CON301 and its neighbours); `# noqa` hides any other.

A declaration that is wrong is worse than none, since readers and conclint both rely on it.  So it is reported: a lock
that is not known where the comment stands, a lock that nobody takes, a comment that assigns nothing to be guarded, a
word that is not known, and a benign race without its reason.

Not reported: comments that merely mention guarding, without the colon.  https://docs.python.org/3/library/threading.html
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.program.values import Store
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    calls = evidence.program.calls

    def taken(lock: Store) -> bool:
        """By a call on something of its name; or something is made of it, such as a condition."""
        sites = [site for name in ("__enter__", "acquire") for site in calls.calls_named(name)]
        if any(site.call.func.rpartition(".")[0].rpartition(".")[2] == lock.path for site in sites):
            return True
        made = (arg for site in calls.calls_named("Condition") for arg in site.call.args)
        return any(lock.path == arg.rpartition(".")[2] for arg in made)

    for mistake in evidence.program.declared.mistakes(taken):
        yield Finding(mistake.place, mistake.message)


RULE = Rule(
    code="CON002",
    name="bad-declaration",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import threading

            class Basket:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.items = []  # guarded by: self._mutex  # expect: CON002

                def add(self, item):
                    with self._lock:
                        self.items.append(item)
            """),
        Bad("""
            import threading

            LOCK = threading.Lock()
            NAMES = set()  # guarded-by: LOCK  # expect: CON002

            def add(name):
                NAMES.add(name)
            """),
        Bad("""
            class Counter:
                def __init__(self):
                    self.hits = 0  # conclint: benign-race  # expect: CON002

                # conclint: threadsafe  # expect: CON002
                def hit(self):
                    self.hits += 1
            """),
        Good("""
            import threading
            from typing import Annotated

            class Basket:
                items: Annotated[list, GuardedBy("_lock")]

                def __init__(self):
                    self._lock = threading.Lock()
                    self._changed = threading.Condition(self._lock)
                    self.items = []
                    self.hits = 0  # conclint: benign-race -- statistics: a lost one does no harm
                    # guarded by: self._changed
                    self.sizes = {}

                def add(self, item):
                    with self._changed:
                        self.items.append(item)
            """),
        Good("""
            import threading

            LOCK = threading.Lock()
            NAMES = set()  # guarded by: LOCK
            TITLES = set()  # is guarded by the lock as well

            def add(name):
                with LOCK:
                    NAMES.add(name)

            # conclint: main-thread
            def show():
                print(sorted(TITLES))
            """),
    ),
)
