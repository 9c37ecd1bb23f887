"""A fork takes the locks along that other threads hold, and leaves behind the threads that would release them.

The child of a fork has one thread, the one that forked.  Every lock of the process is copied as it is: one that
another thread held at that moment (of a queue, of logging, of the allocator) stays locked for ever, and the child
hangs as soon as it needs it.  It works most of the time, which makes it hard to find; Python 3.12 warns of it.

Start the processes before the threads, or let them be spawned: `multiprocessing.get_context("spawn")`.  An object that
notices that it was forked (it compares `os.getpid()`) must make its locks anew in the child:
`os.register_at_fork(after_in_child=…)`.  And such a handler must not leave the child what stands for a thread of the
parent.

See https://docs.python.org/3/library/os.html#os.fork and
https://docs.python.org/3/library/os.html#os.register_at_fork.

Not reported: processes whose start method is left to the platform, forks that become another program at once, threads
that were joined before, forks in other functions than the one that starts the threads (unless they run in a thread
themselves), and tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.evidence import Evidence
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.forking import forks, inherited_locks, running_thread
    from conclint.source.testcode import in_test

    for fork in forks(source):
        notes = () if in_test(source, fork) else running_thread(source, fork)
        if notes:
            yield Finding(
                source.place(fork),
                "the child keeps every lock that another thread holds now, and can hang on it; "
                "start processes before threads, or let them be spawned",
                notes=notes,
            )
    for one in inherited_locks(source):
        yield Finding(
            source.place(one.made),
            f"a child that is forked while another thread holds `{one.name}` waits for it for ever; "
            "make it anew in the child, with `os.register_at_fork`",
            notes=(Note(source.place(one.asked), f"with `{one.name}` held, it looks here which process it is in"),),
        )


def conclude(evidence: Evidence) -> Iterator[Finding]:
    """Handlers that look after the child, but leave it threads of the parent's."""
    for stale in evidence.program.stale_globals():
        names = ", ".join(f"`{name}`" for name in stale.names)
        yield Finding(
            stale.place,
            f"{names} still stand for threads of the parent after a fork, which the child does not have; "
            "set them to None here",
            notes=tuple(Note(place, "the thread is made here") for place in stale.bound),
        )


RULE = Rule(
    code="CON604",
    name="fork-beside-threads",
    triggers=calls(
        "os.fork",
        "os.forkpty",
        "pty.fork",
        "os.getpid",
        "multiprocessing.Process",
        "multiprocessing.pool.Pool",
        "concurrent.futures.ProcessPoolExecutor",
    ),
    check=check,
    conclude=conclude,
    examples=(
        Bad("""
            import os
            import threading

            def begin(work):
                threading.Thread(target=work).start()
                pid = os.fork()  # expect: CON604
                if pid == 0:
                    os._exit(0)
                os.waitpid(pid, 0)
            """),
        Bad("""
            import multiprocessing as mp
            from threading import Thread

            def begin(listen, job):
                listener = Thread(target=listen, daemon=True)
                listener.start()
                child = mp.get_context("fork").Process(target=job)
                child.start()  # expect: CON604
                child.join()
            """),
        Bad("""
            import os
            import threading

            class Server:
                def begin(self):
                    self._thread = threading.Thread(target=self._serve)
                    self._thread.start()

                def end(self):
                    self._thread.join()

                def _serve(self):
                    while True:
                        self._handle()

                def _handle(self):
                    if os.fork() == 0:  # expect: CON604
                        os._exit(0)
                    os.wait()
            """),
        Bad("""
            import os
            from threading import Lock, Thread

            class Monitor:
                def __init__(self):
                    self._lock = Lock()  # expect: CON604
                    self._pid = None

                def ensure(self):
                    with self._lock:
                        if self._pid == os.getpid():
                            return
                        self._thread = Thread(target=print, daemon=True)
                        self._thread.start()
                        self._pid = os.getpid()
            """),
        Bad("""
            import os
            import threading

            class Beat:
                def __init__(self):
                    self.thread = threading.Thread(target=print, daemon=True)

                def reset(self):
                    self.thread = None

            beats = []
            _beat = None

            def beat():
                global _beat
                if _beat is None:
                    _beat = Beat()
                    beats.append(_beat)
                    _beat.thread.start()
                return _beat

            def _in_child():
                for one in beats:
                    one.reset()  # expect: CON604

            os.register_at_fork(after_in_child=_in_child)
            """),
        Good("""
            import multiprocessing as mp
            from threading import Thread

            def begin(listen, job):
                child = mp.get_context("fork").Process(target=job)
                child.start()
                listener = Thread(target=listen, daemon=True)
                listener.start()
                child.join()
            """),
        Good("""
            import multiprocessing as mp
            import threading

            def begin(work, job):
                first = threading.Thread(target=work)
                first.start()
                first.join()
                mp.Process(target=job).start()
                second = threading.Thread(target=work)
                second.start()
                mp.get_context("spawn").Process(target=job).start()
                second.join()
            """),
        Good("""
            import os
            import threading

            def begin(work, program):
                threading.Thread(target=work).start()
                if os.fork() == 0:
                    os.execvp(program, [program])
                os.wait()
            """),
        Good("""
            import os
            import threading

            _beat = None

            def beat():
                global _beat
                if _beat is None:
                    _beat = threading.Thread(target=print, daemon=True)
                    _beat.start()
                return _beat

            def _in_child():
                global _beat
                print("forked")
                _beat = None

            os.register_at_fork(after_in_child=_in_child)
            """),
        Good("""
            import os
            from threading import Lock

            class Monitor:
                def __init__(self):
                    self._renew()
                    if hasattr(os, "register_at_fork"):
                        os.register_at_fork(after_in_child=self._renew)

                def _renew(self):
                    self._lock = Lock()
                    self._pid = None

                def ensure(self):
                    with self._lock:
                        if self._pid != os.getpid():
                            self._pid = os.getpid()
            """),
        Good("""
            import os
            import threading

            class Pool:
                def __init__(self):
                    self._lock = threading.Lock()
                    self._pid = os.getpid()

                def check(self):
                    if self._pid != os.getpid():
                        self._lock = threading.Lock()
                        self._pid = os.getpid()
                    with self._lock:
                        return self._pid == os.getpid()
            """),
    ),
)
