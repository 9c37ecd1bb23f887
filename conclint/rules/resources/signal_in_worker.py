"""Only the main thread may set signal handlers: anywhere else `signal.signal` raises ValueError.

Python runs every handler in the main thread, and lets no other thread change them: `signal.signal` and
`signal.set_wakeup_fd` raise "signal only works in main thread of the main interpreter", and the worker ends there.
What `signal.alarm` and `signal.setitimer` order is delivered to the main thread, so it cannot interrupt the worker that
ordered it.  Set handlers before the workers start, and give what a worker waits for a time limit of its own.

Not reported: a function that the main thread calls too, one that looks whether it is in the main thread
(`threading.main_thread()`), or is called by one that does, and a call whose ValueError is caught.

https://docs.python.org/3/library/signal.html#signals-and-threads
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Setting
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import sets
from conclint.rules.rule import Bad, Good, Rule

TIMERS = frozenset({"signal.alarm", "signal.setitimer"})


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for doing in evidence.doings(Setting.SIGNALS):
        if not doing.main and not doing.change.caught:
            timer = doing.change.name in TIMERS
            yield Finding(
                doing.change.place,
                f"`{doing.change.text}` in a thread cannot interrupt it, since the main thread gets the signal; limit "
                "the time of what it waits for"
                if timer
                else f"`{doing.change.text}` raises ValueError in a thread; call it in the main thread, before it "
                "starts",
                notes=doing.notes,
            )


RULE = Rule(
    code="CON503",
    name="signal-in-worker",
    triggers=sets(Setting.SIGNALS),
    conclude=conclude,
    examples=(
        Bad("""
            import signal
            import threading

            def stop(number, frame):
                raise SystemExit

            def worker():
                signal.signal(signal.SIGTERM, stop)  # expect: CON503
                signal.signal(signal.SIGINT, stop)
                serve()

            threading.Thread(target=worker).start()
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor
            from signal import alarm

            class Fetcher:
                def _limit(self, seconds):
                    alarm(seconds)  # expect: CON503

                def fetch(self, url):
                    self._limit(30)
                    return get(url)

                def all(self, urls):
                    with ThreadPoolExecutor() as pool:
                        return list(pool.map(self.fetch, urls))
            """),
        Bad("""
            import signal
            import threading

            class Server(threading.Thread):
                def run(self):
                    self.install()
                    self.serve()

                def install(self):
                    try:
                        signal.signal(signal.SIGHUP, self.reload)  # expect: CON503
                    except OSError:
                        pass

                def serve(self):
                    pass

                def reload(self, number, frame):
                    pass
            """),
        Good("""
            import signal
            import threading

            def stop(number, frame):
                raise SystemExit

            def main(serve):
                signal.signal(signal.SIGTERM, stop)
                threading.Thread(target=serve).start()
            """),
        Good("""
            import signal
            import threading

            def run(stop):
                install(stop)

            def install(stop):
                signal.signal(signal.SIGTERM, stop)  # main comes here too

            def embedded(stop):
                if threading.current_thread() is threading.main_thread():
                    signal.signal(signal.SIGINT, stop)

            def main(stop):
                run(stop)
                threading.Thread(target=run, args=(stop,)).start()
                threading.Thread(target=embedded, args=(stop,)).start()
            """),
        Good("""
            import contextlib
            import signal
            import threading
            from multiprocessing import Process

            def careful(stop):
                try:
                    signal.signal(signal.SIGTERM, stop)
                except ValueError:
                    pass  # not in the main thread
                with contextlib.suppress(ValueError):
                    signal.signal(signal.SIGINT, stop)

            def start(stop):
                if threading.current_thread() is threading.main_thread():
                    handle(stop)

            def handle(stop):
                signal.signal(signal.SIGUSR1, stop)

            def child():
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main thread of a process of its own

            def main(stop):
                threading.Thread(target=careful, args=(stop,)).start()
                threading.Thread(target=start, args=(stop,)).start()
                Process(target=child).start()
            """),
    ),
)
