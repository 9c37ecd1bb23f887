"""A worker that sets something for the whole process sets it for its neighbours too.

`socket.setdefaulttimeout`, `sys.setrecursionlimit`, `gc.disable`, `logging.disable` and their like have one value in
the process.  When several workers set and reset it, each runs with whatever the last one wanted: a download without a
time limit, a collector that stays off for ever.  Set it once in the main thread before workers start, or use the
argument that means only one object: `timeout=`.

Not reported: what is set in the main thread or in processes, by a single worker, or under a lock.  Functions of your
own count too when `process-wide` in `[tool.conclint.knowledge]` names them.

https://docs.python.org/3/library/socket.html#socket.setdefaulttimeout
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Setting
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import sets
from conclint.rules.rule import Bad, Good, Rule

# Does nothing where it was done before: docs.python.org/3/library/logging.html#logging.basicConfig
IDLE = frozenset({"logging.basicConfig"})


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for doing in evidence.doings(Setting.OTHER):
        if doing.other is not None and not doing.guarded:
            yield Finding(
                doing.change.place,
                f"`{doing.change.text}` in a worker sets it for the whole process, the other threads too; set it once "
                "before workers start, or for one object only",
                notes=doing.notes,
                when_asked=doing.far or doing.change.name in IDLE,
            )


RULE = Rule(
    code="CON518",
    name="process-setting-in-worker",
    triggers=sets(Setting.OTHER),
    conclude=conclude,
    examples=(
        Bad("""
            import socket
            from concurrent.futures import ThreadPoolExecutor

            def job(host):
                socket.setdefaulttimeout(5)  # expect: CON518
                return fetch(host)

            def main(hosts):
                pool = ThreadPoolExecutor()
                return [pool.submit(job, host) for host in hosts]
            """),
        Bad("""
            import gc
            import threading
            from sys import setrecursionlimit

            class Parser:
                def parse(self, text):
                    self.hurry()
                    return tree(text)

                def hurry(self):
                    gc.disable()  # expect: CON518

            def deep(text):
                setrecursionlimit(10**6)  # expect: CON518
                return Parser().parse(text)

            def main(texts):
                for text in texts:
                    threading.Thread(target=deep, args=(text,)).start()
            """),
        Good("""
            import logging
            import socket
            import sys
            import threading
            from concurrent.futures import ThreadPoolExecutor
            from multiprocessing import Process

            def job(host):
                return socket.create_connection((host, 80), timeout=5)

            def child():
                socket.setdefaulttimeout(5)
                logging.basicConfig(level=logging.INFO)

            def solve():
                sys.setrecursionlimit(10**6)  # the one thread that has the big stack

            def main(hosts):
                socket.setdefaulttimeout(30)
                threading.stack_size(2**27)
                solver = threading.Thread(target=solve)
                solver.start()
                solver.join()
                Process(target=child).start()
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(job, hosts))
            """),
    ),
)
