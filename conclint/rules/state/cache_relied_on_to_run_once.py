"""Several threads can compute this cached value at once: the cache takes no lock, so that two of it are made.

`functools.cached_property` looks whether the value is there, computes it and stores it.  Until Python 3.11 a lock, one
for all objects of the class, stood around that; there is none since.  `functools.cache` and `lru_cache` never hold one
while the function runs.  Threads that come first at the same time make a connection each: all but one are forgotten,
and stay open; a lock made so keeps nobody out.

Make it in the constructor or at import.  Or make it under a lock, and look again once the lock is held.

https://docs.python.org/3/library/functools.html#functools.cached_property

Reported only where several threads of the program are known to come to the same object, and what is made holds on to
more than memory: connections, clients, files, locks, threads, and classes with a `close` or the like.

Not reported: values, of which two equal ones do no harm; caches by argument; classes and modules that take a lock of
their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding
from conclint.program.contexts import evidence as trace
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for cached in evidence.cached:
        yield Finding(
            cached.place,
            f"several threads can compute `{cached.name}` at once, since `{cached.how}` takes no lock: two of "
            f"`{cached.made}` are made; make it before the threads start, or under a lock",
            notes=tuple(dict.fromkeys((*trace(cached.run), *trace(cached.other)))),
        )


RULE = Rule(
    code="CON320",
    name="cache-relied-on-to-run-once",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import sqlite3
            from concurrent.futures import ThreadPoolExecutor
            from functools import cached_property

            class Store:
                def __init__(self, path):
                    self.path = path

                @cached_property
                def connection(self):  # expect: CON320
                    return sqlite3.connect(self.path, check_same_thread=False)

                def get(self, key):
                    return self.connection.execute("select ?", (key,))

                def all(self, keys):
                    with ThreadPoolExecutor() as pool:
                        return list(pool.map(self.get, keys))
            """),
        Bad("""
            import functools
            import threading

            class Client:
                def close(self):
                    pass

            @functools.lru_cache(maxsize=None)
            def client():  # expect: CON320
                return Client()

            def work():
                client()

            def main():
                for _ in range(4):
                    threading.Thread(target=work).start()
            """),
        Bad("""
            import functools
            import threading

            class Counter:
                def __init__(self):
                    self.number = 0

                @functools.cached_property
                def lock(self):  # expect: CON320
                    return threading.Lock()

                def add(self):
                    lock = self.lock
                    self.number = lock

            counter = Counter()

            def first():
                counter.add()

            def second():
                counter.add()

            def main():
                threading.Thread(target=first).start()
                threading.Thread(target=second).start()
            """),
        Good("""
            import functools
            import threading
            from concurrent.futures import ThreadPoolExecutor

            class Names:
                def __init__(self, path):
                    self.path = path
                    self.client = None
                    self._lock = threading.Lock()

                @functools.cached_property
                def upper(self):
                    return self.path.upper()

                @property
                def connection(self):
                    with self._lock:
                        if self.client is None:
                            self.client = open(self.path)
                        return self.client

                def get(self, key):
                    return self.upper, self.connection

                def all(self, keys):
                    with ThreadPoolExecutor() as pool:
                        return list(pool.map(self.get, keys))
            """),
        Good("""
            import functools
            import sqlite3
            import threading

            class Worker(threading.Thread):
                @functools.cached_property
                def connection(self):  # each thread has its own
                    return sqlite3.connect("app.db")

                def run(self):
                    self.connection.execute("select 1")

            @functools.cache
            def opened(path):
                return open(path)

            def read(path):
                return opened(path)

            def main(paths):
                for path in paths:
                    Worker().start()
                    threading.Thread(target=read, args=(path,)).start()
            """),
        Good("""
            import functools
            import sqlite3

            class Store:
                @functools.cached_property
                def connection(self):
                    return sqlite3.connect("app.db")

                def get(self, key):
                    return self.connection.execute("select ?", (key,))

            def main(keys):
                store = Store()
                return [store.get(key) for key in keys]
            """),
    ),
)
