"""An operation that reads and then writes shared state looks like one step and is two.

`history.append(history[-1] + 1)`, `table[i] = table[j]`: both are on the Python FAQ's list of what is *not* atomic.
`place = clients.index(client)` and then `clients.pop(place)`: another client may stand there by then.
Between the read and the write another thread can change what was read, and the result rests on something that is no
longer so.

`jobs = [job for job in jobs if job is not done]` walks over the old list and then puts a new one into its place: what
another thread adds or removes meanwhile is in the old one.

Two statements that belong together are no better: `send(list(self.batch)); self.batch.clear()` throws away, unsent,
what another thread has added between the two.

Hold one lock around both steps, and around every other change of the same container.

Where no thread is started and only a lock shows that several come, what is thrown away unused is shown to those who
select CON312: often nobody adds any more by then.

Not reported: single operations (`append`, `d[k] = v`, `pop`, `sort`), containers that one thread has for itself, and
state under one lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix
from conclint.program.evidence import Evidence
from conclint.program.observations import EMPTIED, REBUILT, SPENT, Act
from conclint.program.telling import race_finding, rival
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def conclude(evidence: Evidence) -> Iterator[Finding]:
    unlocked = {breach.access.place for breach in evidence.breaches}  # of which CON304 speaks
    for race in evidence.races:
        access = race.moment.access
        if access.act is Act.COMPOUND and access.operation in (EMPTIED, SPENT):
            if race.promise is not None and access.place in unlocked:
                continue
            message = f"what {rival(race)} adds to `{access.text}` after its items were used is thrown away here unused"
            advice = "take them out under the lock under which they are added, or one by one"
            found = race_finding(race, f"{message}; {advice}")
            # Where only a lock says that threads come, something else may keep them from adding any more.
            yield replace(found, about=access.text, when_asked=found.when_asked or race.promise is not None)
        elif access.act is Act.COMPOUND and access.operation == REBUILT:
            message = f"a new `{access.text}` is built from the old one: what {rival(race)} changes meanwhile is lost"
            yield race_finding(race, f"{message}; hold one lock around this and around every change")
        elif access.act is Act.COMPOUND:
            yield race_finding(
                race,
                f"`{access.text}` is read and then changed in two steps, and {rival(race)} can change it in between; "
                "hold one lock around both",
            )


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.locking import lock_statement

    if finding.about:
        return None  # the lock has to be held from the first of the two steps on, and where items are added
    return lock_statement(source, finding.place.span)


RULE = Rule(
    code="CON312",
    name="compound-operation",
    triggers=shared_state(),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            from concurrent.futures import ThreadPoolExecutor

            HISTORY = [0]

            def push(number):
                HISTORY.append(HISTORY[-1] + number)  # expect: CON312

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(push, range(9)))
            """,
            fixed="""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            HISTORY = [0]
            HISTORY_LOCK = threading.Lock()

            def push(number):
                with HISTORY_LOCK:
                    HISTORY.append(HISTORY[-1] + number)  # expect: CON312

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(push, range(9)))
            """,
        ),
        Bad("""
            import threading

            class Table:
                def __init__(self):
                    self.cells = [0] * 64

                def shift(self, place):
                    self.cells[place] = self.cells[place - 1]  # expect: CON312

            table = Table()

            def main():
                for place in range(1, 64):
                    threading.Thread(target=table.shift, args=(place,)).start()
            """),
        Bad("""
            import threading

            class Batches:
                def __init__(self, send):
                    self._send = send
                    self._batch = []
                    self._seen = {}
                    self._stop = threading.Event()
                    self._thread = threading.Thread(target=self._run)
                    self._thread.start()

                def add(self, item):
                    self._batch.append(item)
                    self._seen[item] = True

                def _run(self):
                    while not self._stop.wait(1):
                        if self._batch:
                            self._send(*self._batch)
                        self._batch = []  # expect: CON312
                        names = list(self._seen)
                        self._seen.clear()  # expect: CON312
                        print(names)

                def close(self):
                    self._stop.set()
                    self._thread.join()
            """),
        Good("""
            import threading

            class Batches:
                def __init__(self, send):
                    self._send = send
                    self._lock = threading.Lock()
                    self._batch = []
                    self._names = []
                    self._stop = threading.Event()
                    self._thread = threading.Thread(target=self._run)
                    self._thread.start()

                def add(self, item):
                    with self._lock:
                        self._batch.append(item)
                    self._names.append(item)

                def _run(self):
                    while not self._stop.wait(1):
                        with self._lock:
                            batch = list(self._batch)
                            self._batch.clear()
                        self._send(batch)
                        names, self._names = self._names, []
                        print(len(names))

                def close(self):
                    self._stop.set()
                    self._thread.join()
            """),
        Bad("""
            import socket
            import threading

            clients = []

            def serve(client):
                clients.append(client)
                while message := client.recv(1024):
                    client.send(message)
                place = clients.index(client)
                clients.pop(place)  # expect: CON312

            def main():
                server = socket.create_server(("", 5555))
                while True:
                    client, _ = server.accept()
                    threading.Thread(target=serve, args=(client,)).start()
            """),
        Good("""
            import socket
            import threading

            clients = []

            def serve(client):
                clients.append(client)
                while message := client.recv(1024):
                    client.send(message)
                clients.remove(client)  # one step

            def main():
                server = socket.create_server(("", 5555))
                while True:
                    client, _ = server.accept()
                    threading.Thread(target=serve, args=(client,)).start()
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            HISTORY = [0]
            lock = threading.Lock()

            def push(number):
                with lock:
                    HISTORY.append(HISTORY[-1] + number)

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(push, range(9)))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def fibonacci(count):
                numbers = [1, 1]
                while len(numbers) < count:
                    numbers.append(numbers[-1] + numbers[-2])
                return numbers

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(fibonacci, range(9)))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            SEEN = []

            def see(name):
                SEEN.append(name)  # one step
                SEEN.sort()

            def main(names):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(see, names))
            """),
    ),
)
