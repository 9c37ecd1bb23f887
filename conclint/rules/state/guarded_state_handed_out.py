"""A method takes the lock to return a container, and its caller then uses it without the lock.

`with self._lock: return self._items` guards one step, which needs no guarding.  What the caller gets is the list
itself: while it walks over it, other threads change it under a lock that the caller does not hold.  The loop skips
items or ends in `RuntimeError: dictionary changed size during iteration`, and nobody is protected from what the caller
changes.

Return a copy, made while the lock is held: `return self._items.copy()`, `return list(self._items)`.  Or offer the
method that callers really want: `def add(self, item)`.

Not reported: containers that are only ever replaced as a whole, which nobody changes under the caller's hands; private
methods, and methods whose every caller holds the lock; what is taken out (`items, self._items = self._items, []`), be
it that another method of the object puts something new in its place.
Methods that do a piece of work first are shown to those who select CON318.

Which operations on containers are one step: https://docs.python.org/3/faq/library.html#what-kinds-of-global-value-mutation-are-thread-safe
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Edit, Finding, Fix, Note, Span
from conclint.program.evidence import Evidence
from conclint.program.triggers import guarded_state
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

# A method that only gives what it has calls no more functions than these.
SEVERAL = 3


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for breach in evidence.handed_out:
        changed = min(breach.guarded, key=lambda access: access.place)
        yield Finding(
            breach.access.place,
            f"`{breach.access.text}` itself leaves `{breach.lock_text}`: its caller walks over it while others "
            "change it; return a copy",
            notes=(Note(changed.place, f"`{changed.text}` is changed here in its place"),),
            when_asked=_does_more(evidence, breach.access.function),
        )


def _does_more(evidence: Evidence, function: str) -> bool:
    """Whether the method does a piece of work of which this is the outcome, rather than give what it has."""
    _, fact = evidence.program.calls.function(function)
    return len(fact.calls) > SEVERAL


def mend(source: Source, finding: Finding) -> Fix | None:
    end = finding.place.span
    at = Span(end.end_line, end.end_column, end.end_line, end.end_column)
    return Fix("return a copy", (Edit(at, ".copy()"),))


RULE = Rule(
    code="CON318",
    name="guarded-state-handed-out",
    triggers=guarded_state(),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import threading

            class Basket:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._items = []

                def add(self, item):
                    with self._lock:
                        self._items.append(item)

                def items(self):
                    with self._lock:
                        return self._items  # expect: CON318
            """,
            fixed="""
            import threading

            class Basket:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._items = []

                def add(self, item):
                    with self._lock:
                        self._items.append(item)

                def items(self):
                    with self._lock:
                        return self._items.copy()  # expect: CON318
            """,
        ),
        Bad("""
            from collections import OrderedDict
            from threading import Condition, Lock

            class Board:
                def __init__(self):
                    self.mutex = Lock()
                    self.changed = Condition(self.mutex)
                    self.scores = OrderedDict()

                def score(self, name):
                    with self.changed:
                        self.scores[name] = self.scores.get(name, 0) + 1
                        self.changed.notify_all()

                @property
                def current(self):
                    self.mutex.acquire()
                    try:
                        return self.scores  # expect: CON318
                    finally:
                        self.mutex.release()
            """),
        Bad("""
            import threading

            _hosts = set()
            _lock = threading.Lock()

            def add(host):
                with _lock:
                    if host not in _hosts:
                        _hosts.add(host)

            def hosts():
                with _lock:
                    return _hosts  # expect: CON318
            """),
        Good("""
            import threading

            class Basket:
                def __init__(self):
                    self._lock = threading.RLock()
                    self._items = []
                    self._names = ()
                    self._prices = {}
                    self._count = 0

                def add(self, item):
                    with self._lock:
                        self._items.append(item)
                        self._count += 1

                def items(self):
                    with self._lock:
                        return list(self._items)

                def take(self):
                    with self._lock:
                        items, self._items = self._items, []
                    return items

                def count(self):
                    with self._lock:
                        return self._count

                def name(self, name):
                    with self._lock:
                        self._names = (*self._names, name)

                def names(self):
                    with self._lock:
                        return self._names

                def price(self, prices):
                    with self._lock:
                        self._prices = {**self._prices, **prices}

                def prices(self):
                    with self._lock:
                        return self._prices

                def _all(self):
                    with self._lock:
                        return self._items

                def longest(self):
                    with self._lock:
                        return max(self._all(), key=len)
            """),
    ),
)
