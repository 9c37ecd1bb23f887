"""The owner is closed, and its thread runs on.

A thread that is only told to stop goes on for a while: it uses what the next line closes, calls back into an object
that is gone, and is still there when the owner begins anew. One that is never told runs until the process ends, and
keeps the owner, and all that the owner holds, alive.

Four forms are found: a thread's `stop()` that sets what its loop asks, where nobody joins; an owner's that does so and
closes at once what the thread uses, or whose event is cleared for the next thread; a loop that sleeps and goes round
for ever in an object that can be closed; and a `close()` that ends what the object keeps except the one thing that has
a thread.

Tell the thread to stop, `join()` it after that, and do both where the owner is closed.

https://docs.python.org/3/library/threading.html#threading.Thread.join

Not reported: tests; threads that anybody in the program joins; calls in coroutines, event loops, signal handlers, the
thread itself and where a lock may be held, since to wait there would block them; timers; loops that end when their
connection is closed; and methods that wait in another way.

A thread class whose own `stop()` does not join, and of which the program shows no user, an owner that only tells its
thread to stop, and a daemon that is only told, are shown only where the rule is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding, Note
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for one in evidence.outlived:
        note = Note(one.made, "its class" if one.how == "own" else "made here")
        yield Finding(one.place, _told(one.how, one.what), (note,), when_asked=one.weak)


def _told(how: str, what: str) -> str:
    if how == "unawaited":
        return f"the thread `{what}` is told to stop, and nobody waits until it has; `join()` it after that"
    if how == "endless":
        return f"nothing ends this thread, and its owner's `{what}()` leaves it running; ask an event, and join there"
    if how in ("own", "told"):
        return f"`{what}()` tells the thread to stop and returns before it has; `join()` it here, or where it is called"
    return f"`self.{what}` has a thread, and is not ended here with the rest; end it too"


RULE = Rule(
    code="CON224",
    name="thread-outlives-owner",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import threading

            class Filler(threading.Thread):
                def __init__(self, source):
                    super().__init__(daemon=True)
                    self.source = source
                    self.running = True

                def run(self):
                    while self.running:
                        self.source.read()

                def stop(self):
                    self.running = False

            class Stream:
                def open(self, source):
                    self.filler = Filler(source)
                    self.filler.start()

                def close(self):
                    self.filler.stop()  # expect: CON224
                    self.filler.source.close()
            """),
        Bad("""
            import socket
            import threading

            class Listener:
                def __init__(self, address):
                    self._over = threading.Event()
                    self._socket = socket.create_connection(address)
                    self._thread = threading.Thread(target=self._run)
                    self._thread.start()

                def _run(self):
                    while not self._over.is_set():
                        print(self._socket.recv(1024))

                def close(self):
                    self._over.set()  # expect: CON224
                    self._socket.close()
            """),
        Bad("""
            import time
            from threading import Thread

            class Client:
                def __init__(self, connect):
                    self.link = connect()
                    self.receiver = Thread(target=self._receive, daemon=True)
                    self.receiver.start()

                def _receive(self):  # expect: CON224
                    while True:
                        if self.link is None:
                            time.sleep(1)
                            continue
                        print(self.link.receive(1))

                def close(self):
                    self.link.close()
                    self.link = None
            """),
        Bad("""
            import threading

            class Periodic:
                def __init__(self, work):
                    self._work = work
                    self._over = threading.Event()

                def open(self):
                    self._thread = threading.Thread(target=self._run, daemon=True)
                    self._thread.start()

                def _run(self):
                    while not self._over.wait(5):
                        self._work()

                def close(self):
                    self._over.set()
                    self._thread.join()

            class Client:
                def __init__(self, pool, clean):
                    self._pool = pool
                    self._cleaner = Periodic(clean)
                    self._cleaner.open()

                def close(self):
                    self._pool.close()  # expect: CON224
            """),
        Good("""
            import threading

            class Filler(threading.Thread):
                def __init__(self, source):
                    super().__init__(daemon=True)
                    self.source = source
                    self.running = True

                def run(self):
                    while self.running:
                        self.source.read()

                def stop(self):
                    self.running = False

            class Stream:
                def open(self, source):
                    self.filler = Filler(source)
                    self.filler.start()

                def close(self):
                    self.filler.stop()
                    self.filler.join()
                    self.filler.source.close()
            """),
        Good("""
            import threading

            class Worker(threading.Thread):
                def __init__(self):
                    super().__init__()
                    self._over = threading.Event()
                    self._done = threading.Event()

                def run(self):
                    while not self._over.is_set():
                        print("working")
                    self._done.set()

                def stop(self):
                    self._over.set()
                    self._done.wait()

            class Office:
                def __init__(self):
                    self.worker = Worker()
                    self.worker.start()

                def close(self):
                    self.worker.stop()
            """),
        Good("""
            from threading import Thread

            class Client:
                def __init__(self, sock):
                    self.sock = sock
                    self.receiver = Thread(target=self._receive, daemon=True)
                    self.receiver.start()

                def _receive(self):
                    while True:
                        print(self.sock.recv(1))

                def close(self):
                    self.sock.close()
            """),
    ),
)
