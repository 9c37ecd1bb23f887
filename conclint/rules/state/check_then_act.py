"""Between the test and the act another thread can change what was tested.

`if key not in cache: cache[key] = make(key)` looks, then acts.  Two threads can both look, both find nothing, and both
make one: the first is thrown away while someone already uses it.  `if key in d: del d[key]` raises KeyError in
the slower thread.

Test and act under one lock.  Where the container does both in one step, let it: `d.setdefault(key, value)`,
`d.pop(key, None)`, `s.discard(x)`, `queue.get_nowait()`.

Not reported: one-step operations, a test repeated under the lock, tests whose act stores a cheap value that would
come out the same in both threads, containers that one thread has for itself, and whatever happens before the first
start, after the last join, or while modules are imported.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.observations import Act
from conclint.program.telling import race_finding, rival
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        access = race.moment.access
        if access.act is Act.CHECK_ACT:
            yield race_finding(
                race,
                f"`{access.text}` is tested and then changed, and {rival(race)} can change it in between; "
                f"{_instead(access.operation)}",
            )


def _instead(operation: str) -> str:
    if operation == "del":
        return "use `pop(key, None)`, or do both under one lock"
    return "do both under one lock"


RULE = Rule(
    code="CON305",
    name="check-then-act",
    triggers=shared_state(),
    conclude=conclude,
    default=False,  # its only finding on the benchmark corpus is a false alarm
    examples=(
        Bad("""
            import socket
            from concurrent.futures import ThreadPoolExecutor

            CONNECTIONS = {}

            def connection(host):
                if host not in CONNECTIONS:  # expect: CON305
                    CONNECTIONS[host] = socket.create_connection((host, 80))
                return CONNECTIONS[host]

            def main(hosts):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(connection, hosts))
            """),
        Bad("""
            import threading

            class Registry:
                def __init__(self):
                    self.jobs = {}

                def forget(self, name):
                    if name in self.jobs:  # expect: CON305
                        del self.jobs[name]

            registry = Registry()

            def main(names):
                for name in names:
                    threading.Thread(target=registry.forget, args=(name,)).start()
            """),
        Good("""
            import socket
            import threading
            from concurrent.futures import ThreadPoolExecutor

            CONNECTIONS = {}
            lock = threading.Lock()

            def connection(host):
                with lock:
                    if host not in CONNECTIONS:
                        CONNECTIONS[host] = socket.create_connection((host, 80))
                    return CONNECTIONS[host]

            def main(hosts):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(connection, hosts))
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            EVENTS = {}

            def signal(name):
                EVENTS.setdefault(name, threading.Event()).set()
                EVENTS.pop(name, None)

            def main(names):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(signal, names))
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def count(text):
                words = {}
                for word in text.split():
                    if word not in words:
                        words[word] = open(word)
                return words

            def main(texts):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(count, texts))
            """),
    ),
)
