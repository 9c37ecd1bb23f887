"""What a test has found can be gone when it is read once more.

`if self._socket is not None: self._socket.close()` reads the attribute twice.  Another thread that sets it to None
between the two reads makes the second one fail: `AttributeError: 'NoneType' object has no attribute 'close'`.

`if name in self._jobs: self._jobs[name].run()` is the same: the item that was there can be taken out in between.

Read it once: `socket = self._socket`, then test and use that.  Or hold one lock around both, and around what sets it.

Threads that the program starts are one kind of evidence.  A class or module that takes a lock of its own is another:
its author means several threads to come.

Not reported: names that nobody sets to None after construction, reads under one lock, local variables.

Asked for by name: at the end of a program, where most attributes are set to None, the loser of the race often does not
matter.  See https://docs.python.org/3/faq/library.html#what-kinds-of-global-value-mutation-are-thread-safe.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.observations import ITEM, LOOKED_UP, Act
from conclint.program.telling import race_finding, rival
from conclint.program.triggers import looked_at
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        access = race.moment.access
        if access.act is Act.RELY and access.operation == LOOKED_UP:
            yield race_finding(
                race,
                f"`{access.text}` is asked for an item and then read, and {rival(race)} can take the item out in "
                "between: a KeyError; use `get`, or hold one lock around both",
            )
        elif access.act is Act.RELY:
            yield race_finding(
                race,
                f"`{access.text}` is tested and then read again, and {rival(race)} can {_change(access.operation)} in "
                "between; read it once, into a local variable, or hold one lock around both",
            )


def _change(operation: str) -> str:
    return "take the item out" if operation == ITEM else "set it to None"


RULE = Rule(
    code="CON314",
    name="shared-name-read-twice",
    triggers=looked_at(),
    conclude=conclude,
    default=False,
    examples=(
        Bad("""
            import threading

            class Connection:
                def __init__(self, sock):
                    self._lock = threading.Lock()
                    self._sock = sock
                    self._sent = 0

                def send(self, data):
                    with self._lock:
                        self._sent += len(data)
                    if self._sock is not None:  # expect: CON314
                        self._sock.sendall(data)

                def sent(self):
                    with self._lock:
                        return self._sent

                def drop(self):
                    self._sock = None
            """),
        Bad("""
            import time
            from threading import RLock

            _lock = RLock()
            _values = {}
            _checked = None


            def expired(timeout):
                if not _checked:  # expect: CON314
                    return True
                return time.time() > _checked + timeout


            def forget():
                global _checked
                _checked = None


            def put(name, value):
                global _checked
                with _lock:
                    _values[name] = value
                    _checked = time.time()
            """),
        Good("""
            import threading

            class Connection:
                def __init__(self, sock):
                    self._lock = threading.Lock()
                    self._sock = sock
                    self._name = "it"

                def send(self, data):
                    sock = self._sock
                    if sock is not None:
                        sock.sendall(data)

                def drop(self):
                    with self._lock:
                        self._sock = None

                def close(self):
                    with self._lock:
                        if self._sock is not None:
                            self._sock.close()

                def name(self):
                    if self._name:
                        return self._name.upper()  # nobody takes it away
                    return ""
            """),
    ),
)
