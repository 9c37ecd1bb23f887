"""What was missing before the lock was taken may be there once it is held.

`if self._pool is None:` looks without the lock, `with self._lock:` waits for it.  Two threads can both look, both wait,
and come in one after the other: each makes a pool, and the second throws the first one away while somebody uses it.
The lock keeps them apart but not from doing the same thing twice.

Ask again once the lock is held.  Or take the lock first and look only then: it costs little.

Not reported: blocks that look again, in whatever words, or read the state before they make it; flags and plain values,
for which twice does no harm; tests under the same lock; `setdefault`, which looks and stores in one step.

See https://docs.python.org/3/library/threading.html#lock-objects.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding, Note
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.paths import path_of
    from conclint.source.secondlook import SecondLook, look_again

    if not source.scene.states:
        return
    for missing in SecondLook(source).all():
        text, lock = path_of(missing.state), missing.block.lock
        yield Finding(
            source.place(missing.branch.test),
            f"`{text}` is looked for before `{lock}` is taken and not again under it: two threads that wait "
            "there do it twice; look again once the lock is held",
            notes=(Note(source.place(missing.block.taken), f"`{lock}` is taken here"),),
            fix=look_again(source, missing),
        )


RULE = Rule(
    code="CON309",
    name="missing-second-check",
    triggers=shared_state(),
    check=check,
    examples=(
        Bad(
            """
            import threading

            class Client:
                def __init__(self, url):
                    self._lock = threading.Lock()
                    self._url = url
                    self._file = None

                def file(self):
                    if self._file is None:  # expect: CON309
                        with self._lock:
                            # slow
                            self._file = open(self._url)
                    return self._file

                def close(self):
                    with self._lock:
                        self._file = None
            """,
            fixed="""
            import threading

            class Client:
                def __init__(self, url):
                    self._lock = threading.Lock()
                    self._url = url
                    self._file = None

                def file(self):
                    if self._file is None:  # expect: CON309
                        with self._lock:
                            # slow
                            if self._file is None:
                                self._file = open(self._url)
                    return self._file

                def close(self):
                    with self._lock:
                        self._file = None
            """,
        ),
        Bad("""
            import socket
            from threading import Lock

            _sockets = {}
            _guard = Lock()


            def connection(host):
                if host not in _sockets:  # expect: CON309
                    with _guard:
                        made = socket.create_connection((host, 80))
                        _sockets[host] = made
                return _sockets[host]
            """),
        Bad("""
            import threading

            class Settings:
                _instance = None
                _lock = threading.Lock()

                @classmethod
                def get(cls):
                    if cls._instance is not None:  # expect: CON309
                        return cls._instance
                    with cls._lock:
                        cls._instance = cls()
                        return cls._instance
            """),
        Bad("""
            import threading

            class Loop:
                _current = None
                _lock = threading.Lock()

                @classmethod
                def current(cls):
                    if cls._current is None:  # expect: CON309
                        cls._lock.acquire()
                        try:
                            cls._current = cls()
                        finally:
                            cls._lock.release()
                    return cls._current

                @classmethod
                def other(cls):
                    if cls._current is None:
                        cls._lock.acquire()
                        try:
                            if cls._current is None:
                                cls._current = cls()
                        finally:
                            cls._lock.release()
                    return cls._current
            """),
        Good("""
            import threading

            _lock = threading.Lock()
            _current = None

            class Snapshot:
                def __init__(self, key):
                    self.key = key
                    self.names = []

            def snapshot(key, private):
                global _current
                found = _current
                if found is not None and found.key == key:
                    return found
                if private:
                    with _lock:
                        found = Snapshot(key)  # nobody else's
                    return found
                with _lock:
                    before = _current
                    if before is None or before.key != key:
                        found = Snapshot(key)
                        _current = found
                    else:
                        found = before
                return found
            """),
        Good("""
            import threading

            class Client:
                def __init__(self, url):
                    self._lock = threading.Lock()
                    self._url = url
                    self._file = None

                def file(self):
                    if self._file is None:
                        with self._lock:
                            if self._file is None:
                                self._file = open(self._url)
                    return self._file

                def other(self):
                    if self._file is not None:
                        return self._file
                    with self._lock:
                        if self._file is not None:
                            return self._file
                        self._file = open(self._url)
                        return self._file
            """),
        Good("""
            import socket
            import threading

            _sockets = {}
            _guard = threading.Lock()


            def connection(host):
                if host not in _sockets:
                    with _guard:
                        known = _sockets.get(host)
                        if known is None:
                            _sockets[host] = socket.create_connection((host, 80))
                return _sockets[host]


            def event(name):
                if name not in _sockets:
                    with _guard:
                        _sockets.setdefault(name, threading.Event())
            """),
        Good("""
            import threading

            class Job:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._stopped = False
                    self._names = None

                def stop(self):
                    if not self._stopped:
                        with self._lock:
                            self._stopped = True  # twice does no harm

                def names(self):
                    with self._lock:
                        if self._names is None:
                            with self._lock:
                                self._names = open("names")
            """),
    ),
)
