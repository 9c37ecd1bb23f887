"""Nobody waits for this thread, so nobody learns when or how it ended.

A thread that is started and forgotten goes on after the function that needed its work, and its exception goes to
standard error and no further. The interpreter waits for it at exit, however long it takes; a test that is over
meets it in the next one.

Keep the handle and `join()` it: in the function that started it, in a `finally`, or in the `close()` or `__exit__`
of the object that owns it. For a job with a result, an executor keeps handle, result and exception together.

Not reported: tests; threads joined anywhere in the program, also through a container, another object or a method of
their own; threads that are told to stop by a flag, a last item or the end of what they serve, and threads whose last
word (an event, a queue's item) somebody waits for; threads whose work is to end the program; handles that the program
returns, passes on or keeps where others can reach them, since who gets them may join; threads that a comment calls
started and forgotten; and work that catches all its exceptions itself.

This rule has to be asked for: on real code most of the threads that nobody waits for are meant so (a request to stop,
a server that never ends), and no more than a comment tells them from those that were forgotten. Those of which
something is lost are what CON202, CON206 and CON224 are about.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import JOINS, THREAD
from conclint.model import Finding
from conclint.program.left import kept, left_running
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.lastone import last_one_only

if TYPE_CHECKING:
    from conclint.program.scene import FateScene
    from conclint.source.source import Source

ALL_BUT_ONE = "nobody waits for any of these threads but the last one; keep them all in a list, and `join()` each"
LOOP = "nobody stops the event loop of this thread, which stays until the process ends; stop the loop and `join()` it"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.bywords import is_forgotten
    from conclint.source.testcode import in_test

    for call in source.all(cst.Call):
        if not source.calls(call, THREAD) or source.calls(call, "threading.Timer") or in_test(source, call):
            continue
        fate = source.fate(call)
        if fate is None or is_forgotten(source, call):
            continue
        if not fate.does(*JOINS) and _runs_loop_for_ever(source, call):
            yield Finding(source.place(call), LOOP, when_asked=True)
        elif fate.daemon is False and left_running(fate):
            message = "nobody waits for this thread to end, and its exception is lost"
            yield Finding(
                source.place(call),
                f"{message}{kept(fate)}; `join()` it, or submit the work to an executor",
                when_asked=_handles_its_errors(source, fate),
            )
        elif last := last_one_only(source, call, fate):
            yield Finding(source.place(call), ALL_BUT_ONE, (last,))


def _runs_loop_for_ever(source: Source, call: cst.Call) -> bool:
    """`Thread(target=loop.run_forever)`, in a file that never stops a loop."""
    from conclint.source.paths import argument

    given = argument(call, "target", 1)
    target = given.value if given is not None else None
    if not isinstance(target, cst.Attribute) or target.attr.value != "run_forever" or ".stop" in source.text.text:
        return False
    return "asyncio.AbstractEventLoop.run_forever" in source.names(target)


def _handles_its_errors(source: Source, fate: FateScene) -> bool:
    """Whether no exception gets out of what the thread runs, as far as one can see: then only its end is missed."""
    found = [target for target in source.scene.targets if target.identity in fate.targets]
    return bool(found) and all(target.catches for target in found)


RULE = Rule(
    code="CON201",
    name="unjoined-thread",
    triggers=calls(THREAD),
    default=False,
    check=check,
    examples=(
        Bad("""
            import threading
            from urllib.request import urlopen

            def push(url):
                urlopen(url).close()

            def notify(url):
                threading.Thread(target=push, args=(url,)).start()  # expect: CON201
            """),
        Bad("""
            from threading import Thread

            class Importer:
                def __init__(self, rows):
                    self.rows = rows
                    self._thread = None

                def _load(self):
                    for row in self.rows:
                        print(row)

                def begin(self):
                    self._thread = Thread(target=self._load)  # expect: CON201
                    self._thread.start()
            """),
        Bad("""
            import threading
            from urllib.request import urlopen

            def push(url):
                urlopen(url).close()

            def notify(urls):
                for url in urls:
                    thread = threading.Thread(target=push, args=(url,))  # expect: CON201
                    thread.start()
                thread.join()
            """),
        Good("""
            import threading
            from urllib.request import urlopen

            def push(url):
                urlopen(url).close()

            def notify(url):
                thread = threading.Thread(target=push, args=(url,))
                thread.start()
                return thread
            """),
        Good("""
            from threading import Thread

            class Importer:
                def __init__(self, rows):
                    self.rows = rows
                    self._threads = [Thread(target=self._load)]
                    for thread in self._threads:
                        thread.start()

                def _load(self):
                    for row in self.rows:
                        print(row)

                def close(self):
                    for thread in self._threads:
                        thread.join()
            """),
        Good("""
            import threading

            class Poller:
                def __init__(self, poll):
                    self._poll = poll
                    self._stopped = threading.Event()

                def begin(self):
                    threading.Thread(target=self._run).start()

                def _run(self):
                    while not self._stopped.wait(5):
                        self._poll()

                def stop(self):
                    self._stopped.set()
            """),
    ),
)
