"""Who looks without the lock finds something that is not ready yet.

Double-checked locking looks twice: without the lock, to be fast, and once more under it. Whoever comes while the lock
is held and finds something takes it as it is. If the first step under the lock is `cls._instance = cls()` and the
second fills the instance, or the first is `self._loaded = True` and the second loads, the others use a half made
object, or nothing at all: an AttributeError, an empty table, once a week.

Make it whole under a name of your own, and let the last step be the one that others look for.

Reported: blocks under a lock that store what the same function looks for without the lock, and then give it attributes
or items, or set what a flag announces and what the function goes on to use. Shown to those who select this rule by
name: a method of the program's own that is called on it afterwards, and flags before a call that does the work.

Not reported: threads that are started after they are stored, flags that say that something is over, and looks that take
the lock first.

See https://docs.python.org/3/library/threading.html#lock-objects.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding, Note
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.early import EarlyLook
    from conclint.source.paths import path_of

    if not source.scene.states:
        return
    for early in EarlyLook(source).all():
        text = path_of(early.state)
        what = "says so before it is true" if early.flag else "is there before it is ready"
        yield Finding(
            source.place(source.statement(early.state)),
            f"`{text}` {what}, and whoever looks without `{early.block.lock}` goes on with what is missing; "
            "store it last",
            notes=(
                Note(source.place(early.branch.test), "looked for without the lock"),
                Note(source.place(early.later), "done only here"),
            ),
            when_asked=not early.surely,
        )


RULE = Rule(
    code="CON325",
    name="published-before-ready",
    triggers=shared_state(),
    check=check,
    examples=(
        Bad("""
            import threading

            class Settings:
                _instance = None
                _lock = threading.Lock()

                @classmethod
                def get(cls):
                    if cls._instance is None:
                        with cls._lock:
                            if cls._instance is None:
                                cls._instance = cls()  # expect: CON325
                                cls._instance.values = read_settings()
                    return cls._instance


            def read_settings():
                with open("settings") as lines:
                    return dict(line.split("=", 1) for line in lines)
            """),
        Bad("""
            import threading

            class Words:
                def __init__(self, path):
                    self._path = path
                    self._lock = threading.Lock()
                    self._loaded = False
                    self._words = frozenset()

                def knows(self, word):
                    if not self._loaded:
                        with self._lock:
                            if not self._loaded:
                                self._loaded = True  # expect: CON325
                                self._words = self._read()
                    return word in self._words

                def _read(self):
                    with open(self._path) as lines:
                        return frozenset(lines.read().split())
            """),
        Bad("""
            import threading

            _handlers = None
            _tables = {}
            _guard = threading.Lock()


            def handlers():
                global _handlers
                if _handlers is not None:
                    return _handlers
                with _guard:
                    if _handlers is None:
                        _handlers = {}  # expect: CON325
                        for name in ("open", "close"):
                            _handlers[name] = print
                return _handlers


            def table(name):
                if name not in _tables:
                    with _guard:
                        if name not in _tables:
                            rows = []
                            _tables[name] = rows  # expect: CON325
                            rows.append(name)
                return _tables[name]
            """),
        Good("""
            import threading

            class Settings:
                _instance = None
                _lock = threading.Lock()

                @classmethod
                def get(cls):
                    if cls._instance is None:
                        with cls._lock:
                            if cls._instance is None:
                                made = cls()
                                made.values = {"a": 1}
                                made.values["b"] = 2
                                cls._instance = made
                    return cls._instance

                @classmethod
                def slow(cls):
                    with cls._lock:
                        if cls._instance is None:
                            cls._instance = cls()
                            cls._instance.values = {}
                        return cls._instance
            """),
        Good("""
            import threading

            class Poller:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._thread = None
                    self._closed = False
                    self._file = None

                def start(self):
                    if self._thread is None:
                        with self._lock:
                            if self._thread is None:
                                self._thread = threading.Thread(target=self._run)
                                self._thread.daemon = True
                                self._thread.start()

                def close(self):
                    if self._closed:
                        return
                    with self._lock:
                        if self._closed:
                            return
                        self._closed = True
                        self._file = open("last")
                        self._file.close()

                def _run(self):
                    pass
            """),
    ),
)
