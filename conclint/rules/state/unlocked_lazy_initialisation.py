"""Two threads that come first at the same time both create the object that should exist once.

`if _connection is None: _connection = connect()` tests and then creates.  Creating takes time; a second thread that
comes meanwhile finds None too and creates another.  One of the two is thrown away, though somebody may already use it,
and what it opened stays open.  `functools.cache` is no cure: it may call the function twice as well.

Create it under a lock, and look again once the lock is held.  Or create it at import.

Threads that the program starts are one kind of evidence.  A class or module that takes a lock of its own is another:
its author means several threads to come.  So is an object of the program's own that `__new__`, or a function, of a
module that imports `threading` makes once, of nothing that its caller brings along, and hands out to whoever asks.
What else is one for the whole process (a global, `cls._instance`, one per class), objects that never change, what is
made where the program begins, properties that keep what they compute, and threads on demand: only where asked for.

Not reported: creation under a lock, the second look of a double check, module-level `__getattr__`, constants and cheap
pure values (twice does no harm), objects that one thread has for itself, `threading.local`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix, Note
from conclint.program.alike import is_alike
from conclint.program.evidence import Evidence
from conclint.program.observations import Act
from conclint.program.telling import race_finding, rival
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        access = race.moment.access
        if access.act is Act.LAZY_INIT:
            found = race_finding(
                race,
                f"`{access.text}` is created on first use without a lock, and {rival(race)} can find it missing too: "
                "two are made; look again and create it under a lock",
            )
            yield replace(found, when_asked=True) if is_alike(evidence.program, race.store) else found
    for one in evidence.on_demand:
        yield Finding(
            one.place,
            f"`{one.text}()` starts the object's thread where there is none yet, without a lock: two threads that come "
            "first both start one; ask again and start it under a lock",
            notes=(Note(one.start, "started here"),),
            when_asked=True,
        )


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.descriptors import computed_on_first_use

    for place, text in computed_on_first_use(source):
        said = f"`{text}` is computed on first use without a lock, and another thread can find it missing too"
        yield Finding(place, f"{said}: each uses another one; look again and compute it under a lock", when_asked=True)


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.locking import double_check

    return double_check(source, finding.place.span)


RULE = Rule(
    code="CON308",
    name="unlocked-lazy-initialisation",
    triggers=Triggers(state=True, keeping=frozenset({"__get__"})),
    check=check,
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import sqlite3
            from concurrent.futures import ThreadPoolExecutor

            _connection = None

            def connection():
                global _connection
                if _connection is None:  # expect: CON308
                    _connection = sqlite3.connect("app.db")
                return _connection

            def query(text):
                return connection().execute(text)

            def main(queries):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(query, queries))
            """,
            fixed="""
            import sqlite3
            import threading
            from concurrent.futures import ThreadPoolExecutor

            _connection = None
            _connection_lock = threading.Lock()

            def connection():
                global _connection
                if _connection is None:  # expect: CON308
                    with _connection_lock:
                        if _connection is None:
                            _connection = sqlite3.connect("app.db")
                return _connection

            def query(text):
                return connection().execute(text)

            def main(queries):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(query, queries))
            """,
        ),
        Bad(
            """
            import threading

            class Client:
                def __init__(self, url):
                    self.url = url
                    self._file = None

                def file(self):
                    if not self._file:  # expect: CON308
                        self._file = open(self.url)
                    return self._file

            def main(client: Client):
                for _ in range(9):
                    threading.Thread(target=client.file).start()
            """,
            fixed="""
            import threading

            class Client:
                def __init__(self, url):
                    self._lock = threading.Lock()
                    self.url = url
                    self._file = None

                def file(self):
                    if not self._file:  # expect: CON308
                        with self._lock:
                            if not self._file:
                                self._file = open(self.url)
                    return self._file

            def main(client: Client):
                for _ in range(9):
                    threading.Thread(target=client.file).start()
            """,
        ),
        Bad("""
            import threading
            from http.client import HTTPConnection


            class Writer:
                def __init__(self, host):
                    self._lock = threading.Lock()
                    self._lines = []
                    self._host = host
                    self._connection = None

                def write(self, line):
                    with self._lock:
                        self._lines.append(line)

                def flush(self):
                    with self._lock:
                        lines, self._lines = self._lines, []
                    if self._connection is None:  # expect: CON308
                        self._connection = HTTPConnection(self._host)
                    self._connection.request("PUT", "/", "".join(lines))
            """),
        Bad("""
            class Loop:
                _current = None

                @classmethod
                def instance(cls):
                    if not hasattr(cls, "_instance"):  # expect: CON308
                        cls._instance = cls()
                    return cls._instance

                @staticmethod
                def current():
                    if Loop._current is None:  # expect: CON308
                        Loop()
                    return Loop._current

                def __init__(self):
                    Loop._current = self
            """),
        Bad("""
            from importlib.metadata import entry_points

            _CATALOGUE = None


            def catalogue():
                global _CATALOGUE
                if _CATALOGUE is None:  # expect: CON308
                    _CATALOGUE = {}  # for all to see, and still empty
                    for entry in entry_points(group="plugins"):
                        _CATALOGUE[entry.name] = entry.load()
                return _CATALOGUE
            """),
        Bad("""
            class cached:
                def __init__(self, make):
                    self.make = make
                    self.name = make.__name__

                def __get__(self, obj, owner=None):
                    if obj is None:
                        return self
                    try:
                        return obj.__dict__[self.name]
                    except KeyError:
                        value = obj.__dict__[self.name] = self.make(obj)  # expect: CON308
                        return value
            """),
        Good("""
            from threading import RLock


            class cached:
                def __init__(self, make):
                    self.make = make
                    self.name = make.__name__
                    self.lock = RLock()

                def __get__(self, obj, owner=None):
                    with self.lock:
                        try:
                            return obj.__dict__[self.name]
                        except KeyError:
                            value = obj.__dict__[self.name] = self.make(obj)
                            return value


            class named:
                def __get__(self, obj, owner=None):
                    obj.__dict__["asked"] = True
                    return obj.__dict__["name"]
            """),
        Good("""
            import threading
            from http.client import HTTPConnection


            class Writer:
                def __init__(self, host):
                    self._lock = threading.Lock()
                    self._host = host
                    self._connection = None
                    self._size = None

                def write(self, line):
                    with self._lock:
                        self._ready().request("PUT", "/", line)

                def _ready(self):
                    if self._connection is None:  # whoever calls it holds the lock
                        self._connection = HTTPConnection(self._host)
                    return self._connection

                def size(self):
                    if self._size is None:
                        self._size = len(self._host)  # twice does no harm
                    return self._size
            """),
        Good("""
            import threading


            class Loop:
                _lock = threading.Lock()
                _instance = None

                @classmethod
                def instance(cls):
                    if cls._instance is None:
                        with cls._lock:
                            if cls._instance is None:
                                cls._instance = cls()
                    return cls._instance
            """),
        Good("""
            import sqlite3
            import threading
            from concurrent.futures import ThreadPoolExecutor

            _connection = None
            _lock = threading.Lock()

            def connection():
                global _connection
                if _connection is None:
                    with _lock:
                        if _connection is None:
                            _connection = sqlite3.connect("app.db")
                return _connection

            def query(text):
                return connection().execute(text)

            with ThreadPoolExecutor() as pool:
                pool.map(query, ["select 1", "select 2"])
            """),
        Good("""
            import sqlite3
            import threading
            from concurrent.futures import ThreadPoolExecutor

            own = threading.local()
            def query(text):
                if getattr(own, "connection", None) is None:
                    own.connection = sqlite3.connect("app.db")
                return own.connection.execute(text)

            with ThreadPoolExecutor() as pool:
                pool.map(query, ["select 1", "select 2"])
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            _names = None

            def names():
                global _names
                if _names is None:
                    _names = {}  # twice does no harm
                return _names

            with ThreadPoolExecutor() as pool:
                done = [pool.submit(names), pool.submit(names)]
            """),
    ),
)
