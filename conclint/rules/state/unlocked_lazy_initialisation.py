"""Two threads that come first at the same time both create the object that should exist once.

`if _connection is None: _connection = connect()` tests and then creates.  Creating takes time; a second thread that
comes meanwhile finds None too and creates another.  One of the two is thrown away, though somebody may already use it,
and what it opened stays open.  `functools.cache` is no cure: it may call the function twice as well.

Create it under a lock, and look again once the lock is held.  Or create it at import.

Not reported: creation under a lock, the second look of a double check, module-level `__getattr__`, constants and cheap
pure values (twice does no harm), objects that one thread has for itself, `threading.local`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix
from conclint.program.evidence import Evidence
from conclint.program.observations import Act
from conclint.program.telling import race_finding, rival
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        access = race.moment.access
        if access.act is Act.LAZY_INIT:
            yield race_finding(
                race,
                f"`{access.text}` is created on first use without a lock, and {rival(race)} can find it missing too: "
                "two are made; look again and create it under a lock",
            )


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.locking import double_check

    return double_check(source, finding.place.span)


RULE = Rule(
    code="CON308",
    name="unlocked-lazy-initialisation",
    triggers=shared_state(),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad("""
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
            """),
        Bad("""
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

            def main(queries):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(query, queries))
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

            def main(queries):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(query, queries))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            _names = None

            def names():
                global _names
                if _names is None:
                    _names = {}  # twice does no harm
                return _names

            def main():
                with ThreadPoolExecutor() as pool:
                    for _ in range(9):
                        pool.submit(names)
            """),
    ),
)
