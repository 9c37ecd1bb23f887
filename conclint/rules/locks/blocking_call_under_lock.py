"""While this call waits it keeps a lock, and everybody who wants the lock waits as well.

A lock is there for the few steps that must not be interrupted.  A sleep, a request, another program, the end of a
thread, the next item of a queue: each of them can take seconds, or for ever, and meanwhile every thread that
only wants to read a counter stands still.  If what is waited for needs the lock itself, nothing goes on at all.

Wait first, then take the lock for what is to be done with the result; or take out under the lock what is needed, and
wait with a copy.  See https://docs.python.org/3/library/threading.html#lock-objects

Reported only where another function wants the same lock for a moment, or where several threads come this way.  Not
reported: a lock that is there for exactly that resource (the same object's socket or connection, a lock that nobody
else takes), what is fetched only where it is missing (so that it is fetched once), file locks and locks between
processes, semaphores, waits with a limit, a condition's own `wait`, workers that were told to end, and objects that
begin or end (`start`, `close`).

This rule has to be asked for: half of what it finds in real code waits on purpose, so that something is fetched once.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.waiting import Wait
from conclint.model import Finding, Note
from conclint.program.contexts import evidence as trace
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.sections import steps_to
from conclint.program.stalls import Stall
from conclint.program.triggers import held_locks
from conclint.program.values import split_id
from conclint.rules.rule import Bad, Good, Rule

WORDS = {
    Wait.SLEEP: "sleeps",
    Wait.NETWORK: "waits for the network",
    Wait.PROCESS: "waits for another program",
    Wait.JOIN: "waits for the end of a worker",
    Wait.RESULT: "waits for a worker's result",
    Wait.QUEUE: "waits for a queue",
    Wait.EVENT: "waits for an event",
    Wait.PERSON: "waits for a person",
}


# Several calls away these are short, or there for a case that hardly comes.
PAUSES = (Wait.SLEEP, Wait.EVENT)


def conclude(evidence: Evidence) -> Iterator[Finding]:
    needed = {embrace.waiting.at for embrace in evidence.embraces}
    for stall in evidence.stalls:
        if stall.waiting.at in needed:
            continue  # worse: neither of them goes on
        seen = stall.waiting.under.seen
        yield Finding(
            seen.place,
            f"`{seen.text}` {WORDS[stall.waiting.wait]} while `{stall.lock.text}` is held, and whoever wants the lock "
            "waits too; wait first, and hold the lock for the result only",
            notes=tuple(_notes(evidence, stall)),
            when_asked=len(stall.waiting.path) > 1 and stall.waiting.wait in PAUSES,
        )


def _notes(evidence: Evidence, stall: Stall) -> Iterator[Note]:
    yield Note(site_place(stall.lock.site), f"`{stall.lock.text}` is taken here")
    yield from steps_to(stall.waiting.path)
    if stall.waiting.path:
        yield Note(site_place(stall.waiting.at), f"`{stall.waiting.at.call.func}` waits here")
    if stall.rival is not None:
        name = split_id(stall.rival.site.caller)[1]
        yield Note(site_place(stall.rival.site), f"meanwhile `{name}` waits for the lock here")
    else:
        runs = evidence.program.contexts.runs(stall.waiting.under.seen.function)
        yield from trace(next(run for run in runs if run.many))


RULE = Rule(
    code="CON410",
    name="blocking-call-under-lock",
    triggers=held_locks(),
    default=False,
    conclude=conclude,
    examples=(
        Bad("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            import requests

            lock = threading.Lock()
            pages = []

            def load(url):
                with lock:
                    pages.append(requests.get(url))  # expect: CON410

            def main(urls):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(load, urls))
            """),
        Bad("""
            import threading
            import time as clock

            class Status:
                def __init__(self):
                    self._guard = threading.RLock()
                    self._seen = {}

                def poll(self):
                    with self._guard:
                        while "ready" not in self._seen:
                            clock.sleep(0.5)  # expect: CON410

                def note(self, word):
                    with self._guard:
                        self._seen[word] = True
            """),
        Bad("""
            import threading
            import urllib.request

            class Prices:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._prices = {}

                def refresh(self, name):
                    self._lock.acquire()
                    try:
                        self._prices[name] = self._fetch(name)  # expect: CON410
                    finally:
                        self._lock.release()

                def _fetch(self, name):
                    return parse(download(name))

                def price(self, name):
                    with self._lock:
                        return self._prices[name]

            def download(name):
                return urllib.request.urlopen("https://example.org/" + name)

            def parse(answer):
                return answer.read()
            """),
        Bad("""
            import queue
            import threading

            class Inbox:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._letters = queue.Queue()
                    self.read = 0

                def take(self):
                    with self._lock:
                        letter = self._letters.get()  # expect: CON410
                        self.read += 1
                    return letter

                def put(self, letter):
                    with self._lock:
                        self._letters.put(letter)
            """),
        Good("""
            import threading

            import requests

            lock = threading.Lock()
            pages = []

            def load(url):
                page = requests.get(url)
                with lock:
                    pages.append(page)

            def count():
                with lock:
                    return len(pages)
            """),
        Good("""
            import socket
            import threading

            class Line:
                def __init__(self, address):
                    self._lock = threading.Lock()  # one question at a time
                    self._socket = socket.create_connection(address)
                    self.asked = 0

                def ask(self, question):
                    with self._lock:
                        self._socket.sendall(question)
                        return self._answer()

                def _answer(self):
                    return self._socket.recv(1024)

                def count(self):
                    with self._lock:
                        return self.asked
            """),
        Good("""
            import threading

            import requests

            class Token:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._token = None

                def get(self):
                    with self._lock:
                        if self._token is None:
                            self._token = requests.post("https://example.org/token").text  # fetched once
                        return self._token

                def forget(self):
                    with self._lock:
                        self._token = None
            """),
        Good("""
            import threading
            import time

            class Pace:
                def __init__(self, pause):
                    self._lock = threading.Lock()  # taken by nobody else: it keeps the others waiting on purpose
                    self._pause = pause

                def wait(self):
                    with self._lock:
                        time.sleep(self._pause)
            """),
        Good("""
            import threading

            class Box:
                def __init__(self):
                    self._filled = threading.Condition()
                    self._items = []

                def take(self):
                    with self._filled:
                        self._filled.wait_for(lambda: self._items)  # gives the lock back meanwhile
                        return self._items.pop()

                def put(self, item):
                    with self._filled:
                        self._items.append(item)
                        self._filled.notify()
            """),
        Good("""
            import asyncio

            lock = asyncio.Lock()
            pages = []

            async def load(session, url):
                async with lock:
                    await asyncio.sleep(1)
                    pages.append(url)

            async def count():
                async with lock:
                    return len(pages)
            """),
        Good("""
            import queue
            import threading

            class Results:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._queue = queue.Queue()

                def all(self):
                    found = []
                    with self._lock:
                        while not self._queue.empty():
                            found.append(self._queue.get())
                    return found

                def put(self, one):
                    with self._lock:
                        self._queue.put(one)
            """),
    ),
)
