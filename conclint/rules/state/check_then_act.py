"""Between the test and the act another thread can change what was tested.

`if key not in cache: cache[key] = make(key)` looks, then acts.  Two threads can both look, both find nothing, and both
make one: the first is thrown away while someone already uses it.  `if key in d: del d[key]` raises KeyError in
the slower thread.

Test and act under one lock.  Where the container does both in one step, let it: `d.setdefault(key, value)`,
`d.pop(key, None)`, `s.discard(x)`, `queue.get_nowait()`.

In projects that run without the GIL, caches of modules and classes are CON901.

Threads that the program starts are one kind of evidence.  A class or module that takes a lock of its own around other
changes of the same state is another: its author means several threads to come.  So is `__new__`, or a metaclass, that
keeps what it makes, in programs that know of threads.  Reported only where this rule is selected by name: what threads
reach by many calls over several files, other state of classes that own a lock or start threads, what is one for the
whole process, flags that only the first one should turn, and values computed once.

Not reported: one-step operations, a test repeated under the lock, tests whose act stores a cheap value that would
come out the same in both threads, containers that one thread has for itself, what a thread keeps under its own
identity, and whatever happens before the first start, after the last join, or while modules are imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.freely import registers, relies_on_gil
from conclint.program.observations import NEXT, Act
from conclint.program.races import Race
from conclint.program.telling import race_finding, rival
from conclint.program.triggers import shared_state
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for race in evidence.races:
        access = race.moment.access
        told = access.operation == NEXT or relies_on_gil(evidence.program, race)
        if access.act is Act.CHECK_ACT and not told:
            finding = race_finding(
                race,
                f"`{access.text}` is tested and then changed, and {rival(race)} can change it in between; "
                f"{_instead(access.operation)}",
            )
            direct = race.promise is not None or (race.moment.is_direct and race.other.is_direct)
            weak = not direct or registers(race) or _is_guarded_below(race)
            yield replace(finding, when_asked=finding.when_asked or weak)


def _is_guarded_below(race: Race) -> bool:
    """Whether a derived class holds a lock of which its base, which is used alone too, knows nothing."""
    one, other = (moment.access.function.rpartition(".")[0] for moment in (race.moment, race.other))
    return race.promise is None and bool(race.other.held) and one != other


def _instead(operation: str) -> str:
    if operation == "del":
        return "use `pop(key, None)`, or do both under one lock"
    return "do both under one lock"


RULE = Rule(
    code="CON305",
    name="check-then-act",
    triggers=shared_state(),
    conclude=conclude,
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
            from concurrent.futures import ThreadPoolExecutor

            RUNNING = {}
            busy = set()

            def run(name, job):
                if name in RUNNING:  # expect: CON305
                    raise ValueError(f"{name} runs already")
                RUNNING[name] = job
                try:
                    job.run()
                finally:
                    RUNNING.pop(name, None)

            def claim(device):
                if device in busy:  # expect: CON305
                    return False
                busy.add(device)
                return True

            def work(name, job):
                if claim(job.device):
                    run(name, job)
                if name in RUNNING:
                    return
                RUNNING[name] = "done"  # a memo, the same from everybody

            def main(jobs):
                with ThreadPoolExecutor(4) as pool:
                    list(pool.map(work, jobs.keys(), jobs.values()))
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
        Bad("""
            class Cached(type):
                def __init__(cls, name, bases, namespace):
                    super().__init__(name, bases, namespace)
                    cls._made = {}

                def __call__(cls, *args):
                    if args in cls._made:  # expect: CON305
                        return cls._made[args]
                    else:
                        made = super().__call__(*args)
                        cls._made[args] = made
                        return made


            class Analysed:
                _known = {}

                @classmethod
                def get(cls, code):
                    try:
                        return cls._known[code]
                    except KeyError:
                        pass
                    cls._known[code] = found = Analysed(code)  # expect: CON305
                    return found

                def __init__(self, code):
                    self.code = code
            """),
        Bad("""
            import logging
            import threading

            _PROVIDER = None
            _pending = None
            _lock = threading.Lock()


            def set_provider(provider):
                global _PROVIDER
                if _PROVIDER is not None:  # expect: CON305
                    logging.warning("a provider is set already")
                    return
                _PROVIDER = provider


            def connect_late():
                global _pending
                if _pending:  # expect: CON305
                    host = _pending
                    _pending = None
                    open_connection(host)


            def open_connection(host):
                global _pending
                with _lock:
                    _pending = None


            def close_connection():
                global _pending
                with _lock:
                    _pending = None
            """),
        Bad("""
            import threading

            class Pages:
                def __init__(self, client):
                    self._client = client
                    self._lock = threading.Lock()
                    self._pages = []

                def first(self):
                    with self._lock:
                        return self._pages[0]

                def fetch(self):
                    if len(self._pages) >= self._client.count:  # expect: CON305
                        return []
                    page = self._client.page(len(self._pages))
                    self._pages.extend(page)
                    return page
            """),
        Good("""
            import logging
            import threading

            _PROVIDER = None
            _warned = False
            _lock = threading.Lock()


            def set_provider(provider):
                global _PROVIDER
                with _lock:
                    if _PROVIDER is not None:
                        return
                    _PROVIDER = provider


            def warn_once():
                global _warned
                if not _warned:
                    _warned = True
                    logging.warning("only once, or twice")
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
