"""Nobody keeps this future, so when the work fails nobody hears of it.

An exception in a pool's worker is put into the future, and raised where somebody asks for the result. It is printed
nowhere. When the future is dropped at once, a mistake in the work, a full disk, a wrong argument or a misspelled
function look exactly like success.

Keep the future and ask for its `result()`; or give it a callback that looks at `exception()`; or let the work itself
catch and log what may go wrong.

Not reported: futures that somebody returns, passes on or keeps where others can reach them; work that catches all its
exceptions itself, only ends something or cannot be seen; tests; and `_ = pool.submit(…)`, which says that it is meant
so. Results of a `multiprocessing` pool are CON612's. Work that tidies up behind a function that somebody else hands in,
and that may log what goes wrong, is shown to those who select CON801.

See https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Future.result
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.pools import SUBMITTED, Gives
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.futures import calls_what_is_given, given, handles_its_errors, is_seen, lost
    from conclint.source.testcode import in_test

    for one in given(source):
        if one.gives is not Gives.FUTURE or not lost(source, one.call) or handles_its_errors(source, one):
            continue
        if is_seen(source, one) and not in_test(source, one.call):
            message = "nobody looks at this future, so an exception in the work is lost"
            advice = "keep it and ask for its `result()`, or let the work log its own errors"
            yield Finding(source.place(one.call), f"{message}; {advice}", when_asked=calls_what_is_given(source, one))


RULE = Rule(
    code="CON801",
    name="discarded-future",
    triggers=calls(*SUBMITTED),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor
            from urllib.request import urlopen

            def push(url):
                urlopen(url).close()

            def push_all(urls):
                with ThreadPoolExecutor() as pool:
                    for url in urls:
                        pool.submit(push, url)  # expect: CON801
                    [pool.submit(push, url) for url in urls]  # expect: CON801
            """),
        Bad("""
            import concurrent.futures as cf
            import shutil

            class Backup:
                def __init__(self):
                    self._pool = cf.ThreadPoolExecutor(2)
                    self.done = 0

                def close(self):
                    self._pool.shutdown()

                def _copy(self, path):
                    shutil.copy(path, "/backup")

                def add(self, path):
                    self._pool.submit(self._copy, path)  # expect: CON801
                    copied = self._pool.submit(self._copy, path)  # expect: CON801
            """),
        Bad("""
            import shutil
            from concurrent import futures

            def copy_all(paths):
                with futures.ProcessPoolExecutor() as pool:
                    copies = []
                    for path in paths:
                        copies.append(pool.submit(shutil.copy, path, "/backup"))  # expect: CON801
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def log_error(future):
                if future.exception():
                    print(future.exception())

            def push_all(push, urls):
                with ThreadPoolExecutor() as pool:
                    pool.submit(push, urls[0])
                    for url in urls:
                        pool.submit(print, url).add_done_callback(log_error)
                    futures = {}
                    for url in urls:
                        futures[url] = pool.submit(print, url)
                    futures["last"] = pool.submit(print, url)
                    future = pool.submit(print, urls[0])
                    future.add_done_callback(log_error)
                return {url: future.result() for url, future in futures.items()}
            """),
        Good("""
            import logging
            from concurrent.futures import Executor

            def push(url):
                for _ in range(3):
                    try:
                        print(url)
                    except Exception:
                        logging.exception("cannot push")

            def push_all(executor: Executor, urls):
                for url in urls:
                    executor.submit(push, url)
                    _ = executor.submit(print, url)
            """),
        Good("""
            from concurrent.futures import Executor

            class Session:
                def submit(self, function, *args):
                    return function(*args)

            def push_all(executor: Executor, session: Session, urls, futures):
                session.submit(print, urls)
                futures.append(executor.submit(print, urls))
                return executor.submit(print, urls)
            """),
    ),
)
