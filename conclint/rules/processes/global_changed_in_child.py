"""A child process changes a global of its own, and the parent that looks at it afterwards finds nothing there.

Each process has its own memory.  What a worker appends to a list of its module, or counts in a global, ends with the
worker; the parent's list stays empty, and nothing says so.

Return the results: `results = pool.map(work, items)`.  Where that does not fit, send them: a `multiprocessing.Queue`,
a `Value`, or a manager's dict or list.

See https://docs.python.org/3/library/multiprocessing.html#exchanging-objects-between-processes.

Not reported: globals that the worker itself looks at (a memory of its own), those that an `initializer` sets, functions
that the parent runs as well, and what nobody reads where the child is started.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Finding, Note
from conclint.program.contexts import site_place
from conclint.program.evidence import Evidence
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    seen = set()
    for lost in evidence.program.child_state.lost():
        if lost.place not in seen:
            seen.add(lost.place)
            yield Finding(
                lost.place,
                f"`{lost.name}` is changed in a child process only, and the parent that reads it has another one; "
                "return the results, or send them through a queue",
                notes=(Note(site_place(lost.start), "the child is started here, by who reads it later"),),
            )


RULE = Rule(
    code="CON607",
    name="global-changed-in-child",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import multiprocessing as mp

            results = []

            def work(x):
                results.append(x * x)  # expect: CON607

            def main():
                with mp.Pool() as pool:
                    pool.map(work, range(9))
                print(results)
            """),
        Bad("""
            from multiprocessing import Process

            done = 0
            sizes = {}

            def fetch(url):
                global done
                sizes[url] = len(url)  # expect: CON607
                done += 1  # expect: CON607

            def fetch_all(urls):
                children = [Process(target=fetch, args=(url,)) for url in urls]
                for child in children:
                    child.start()
                for child in children:
                    child.join()
                return done, dict(sizes)
            """),
        Bad("""
            from concurrent.futures import ProcessPoolExecutor

            found = set()

            def note(word):
                found.add(word)  # expect: CON607

            def check(word):
                if word.islower():
                    note(word)

            if __name__ == "__main__":
                with ProcessPoolExecutor() as pool:
                    list(pool.map(check, ["a", "B"]))
                print(found)
            """),
        Good("""
            import multiprocessing as mp

            def work(x):
                return x * x

            def main():
                with mp.Pool() as pool:
                    results = pool.map(work, range(9))
                print(results)
            """),
        Good("""
            import multiprocessing as mp

            known = {}

            def work(x):
                if x not in known:
                    known[x] = x * x  # a memory of the worker's own
                return known[x]

            def main():
                with mp.Pool() as pool:
                    print(pool.map(work, range(9)), known)
            """),
        Good("""
            import multiprocessing as mp

            settings = {}

            def prepare(path):
                settings["path"] = path

            def work(x):
                return settings["path"], x

            def main():
                with mp.Pool(initializer=prepare, initargs=("x",)) as pool:
                    print(pool.map(work, range(9)), settings)
            """),
        Good("""
            import multiprocessing as mp

            results = []

            def work(x):
                return x * x

            def main():
                with mp.Pool() as pool:
                    for x in range(9):
                        pool.apply_async(work, (x,), callback=results.append)
                    pool.close()
                    pool.join()
                print(results)
            """),
        Good("""
            from multiprocessing import Manager, Process

            manager = Manager()
            sizes = manager.dict()

            def fetch(url):
                sizes[url] = len(url)

            def fetch_all(urls):
                for url in urls:
                    Process(target=fetch, args=(url,)).start()
                return dict(sizes)
            """),
    ),
)
