"""One thread per work item has no limit, and what goes wrong in it is lost.

A thousand items make a thousand threads: memory for as many stacks, as many open connections, and time lost in
switching between them.  An exception in a `Thread` is printed and forgotten, so the items that failed are missing
from the result and nobody knows; a value that is returned is lost too.

Give the items to a `ThreadPoolExecutor`: it runs as many at once as are useful, and each result, looked at, gives its
value or raises its exception: `with ThreadPoolExecutor() as pool: results = list(pool.map(fetch, urls))`.

Not reported: tests; threads that serve until they are told to stop, a single thread in the background, a small fixed
number of threads, so many threads that share the items, threads with different targets, threads that wait for each
other or have an event or a pipe of their own, classes with methods of their own to call, threads that nobody joins, and
threads with a name, a big stack or as daemons, which an executor cannot give.  One thread for each member of a table
that the object keeps (`self.drones.items()`) is shown to those who select CON101.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.lives import THREAD
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.fanout import for_members, per_item
from conclint.source.makers import makers
from conclint.source.pooled import pooled

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    for made in makers(source):
        notes = per_item(source, made) if made.kind == THREAD else None
        if notes is not None:
            yield Finding(
                source.place(made.call),
                "each item gets a thread of its own, without limit, and its exceptions are lost; "
                "give the items to a ThreadPoolExecutor and look at the results",
                notes=notes,
                fix=pooled(source, made),
                when_asked=for_members(source, made),
            )


RULE = Rule(
    code="CON101",
    name="thread-per-item",
    triggers=calls(THREAD),
    check=check,
    examples=(
        Bad(
            """
            import threading
            from urllib.request import urlopen

            def fetch(url):
                with urlopen(url) as answer:
                    print(url, answer.status)

            def fetch_all(urls):
                threads = []
                for url in urls:
                    thread = threading.Thread(target=fetch, args=(url,))  # expect: CON101
                    thread.start()
                    threads.append(thread)
                for thread in threads:
                    thread.join()
            """,
            fixed="""
            import threading
            from concurrent.futures import ThreadPoolExecutor
            from urllib.request import urlopen

            def fetch(url):
                with urlopen(url) as answer:
                    print(url, answer.status)

            def fetch_all(urls):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(fetch, urls))  # expect: CON101
            """,
        ),
        Bad(
            """
            import shutil
            from threading import Thread

            def back_up(folders, to):
                # all at once
                workers = [Thread(target=shutil.copytree, args=(folder, to)) for folder in folders]  # expect: CON101
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
            """,
            fixed="""
            import shutil
            from concurrent.futures import ThreadPoolExecutor
            from threading import Thread

            def back_up(folders, to):
                # all at once
                with ThreadPoolExecutor() as pool:
                    futures = [pool.submit(shutil.copytree, folder, to) for folder in folders]  # expect: CON101
                    for future in futures:
                        future.result()
            """,
        ),
        Bad(
            """
            import threading

            class Mirror:
                def fetch(self, url, *, name):
                    print(url, name)

                def fetch_all(self, urls):
                    threads = []
                    for url in urls:
                        name = url.rpartition("/")[2]
                        # the name goes by keyword
                        one = threading.Thread(target=self.fetch, args=(url,), kwargs={"name": name})  # expect: CON101
                        threads.append(one)
                    for thread in threads:
                        thread.start()
                    for thread in threads:
                        thread.join()
            """,
            fixed="""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            class Mirror:
                def fetch(self, url, *, name):
                    print(url, name)

                def fetch_all(self, urls):
                    # the name goes by keyword
                    with ThreadPoolExecutor() as pool:
                        futures = []
                        for url in urls:
                            name = url.rpartition("/")[2]
                            futures.append(pool.submit(self.fetch, url, name=name))  # expect: CON101
                        for future in futures:
                            future.result()
            """,
        ),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def fetch(url):
                print(url)

            def fetch_all(urls):
                with ThreadPoolExecutor(max_workers=8) as pool:
                    return list(pool.map(fetch, urls))
            """),
        Good("""
            import threading

            def serve(port, stop):
                while not stop.wait(1.0):
                    print("serving", port)

            def serve_all(ports, stop):
                threads = [threading.Thread(target=serve, args=(port, stop)) for port in ports]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            """),
        Good("""
            import threading

            def meet(number, barrier):
                barrier.wait()
                print(number)

            def all_at_once(numbers):
                barrier = threading.Barrier(len(numbers))
                threads = [threading.Thread(target=meet, args=(number, barrier)) for number in numbers]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            """),
        Good("""
            import threading

            def save(path):
                print(path)

            def save_beside(path, work):
                thread = threading.Thread(target=save, args=(path,))
                thread.start()
                work()
                thread.join()
            """),
    ),
)
