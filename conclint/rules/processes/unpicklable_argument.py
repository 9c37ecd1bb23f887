"""This argument cannot be sent to another process.

Arguments go to a pool's workers as pickles.  Open files, database connections, locks and events of threads, generators
and pools cannot be pickled: `TypeError: cannot pickle '_io.TextIOWrapper' object`.  The queues and locks of
`multiprocessing` itself can only be inherited: given to a pool's method they raise `RuntimeError: Queue objects should
only be shared between processes through inheritance`.  With `apply_async` and `submit` the error waits in the result
until somebody looks.

A `Process` and its arguments are pickled too, unless it is forked; that is the default on Linux until Python 3.13 only.

Open the file or connection in the worker.  Give queues and locks to the workers when they start, `Pool(initializer=…,
initargs=(queue,))`, or take them from a `Manager`.

See https://docs.python.org/3/library/multiprocessing.html#programming-guidelines.

Not reported: processes that are forked by the program's own choice, picklers that can do more (loky, joblib, pathos,
dill, cloudpickle), classes that say how they are pickled, sockets (multiprocessing can send them), and what threads
share (CON608 speaks of that where it goes to a `Process`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.pickling import INHERITED, TWINS
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.jobs import EXECUTOR, METHODS, POOL

if TYPE_CHECKING:
    from conclint.program.evidence import Evidence
    from conclint.source.source import Source

PROCESS = "multiprocessing.Process"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.sending import QUEUED, sent, unsendable_argument

    for one in sent(source):
        found = unsendable_argument(source, one) if not one.runs and one.pickled else None
        if found is None or (found.kind in TWINS and one.method != QUEUED and not found.notes):
            continue
        if found.kind in INHERITED:
            says = f"{found.what} can only be inherited, so a pool cannot send it to its workers; "
            says += "give it to them with `initializer` and `initargs`, or take one from a `Manager`"
        else:
            says = f"{found.what} cannot be pickled, so it is not sent to the process{one.where}; make it in the worker"
        yield Finding(source.place(one.value), says, notes=found.notes)


def conclude(evidence: Evidence) -> Iterator[Finding]:
    """Objects of subclasses of Process, which are sent as they are."""
    for held, where in evidence.program.sent_processes():
        if held.kind not in TWINS:
            kind = "a lambda" if held.kind == "lambda" else f"a `{held.kind}`"
            yield Finding(
                held.place,
                f"`self.{held.attribute}` is {kind}, which cannot be pickled, so the process does not start{where}; "
                "make it in `run`",
            )


RULE = Rule(
    code="CON603",
    name="unpicklable-argument",
    triggers=calls(PROCESS, POOL, EXECUTOR, *METHODS, "asyncio.AbstractEventLoop.run_in_executor"),
    check=check,
    conclude=conclude,
    examples=(
        Bad("""
            import sqlite3
            from concurrent.futures import ProcessPoolExecutor

            def count(connection, table):
                return connection.execute(f"select count(*) from {table}").fetchone()

            def counts(path, tables):
                connection = sqlite3.connect(path)
                with ProcessPoolExecutor() as pool:
                    futures = [pool.submit(count, connection, table) for table in tables]  # expect: CON603
                    return [future.result() for future in futures]
            """),
        Bad("""
            import multiprocessing as mp

            def report(queue, item):
                queue.put(item)

            def run(items):
                queue = mp.Queue()
                with mp.Pool() as pool:
                    results = [pool.apply_async(report, (queue, item)) for item in items]  # expect: CON603
                    for result in results:
                        result.get()
            """),
        Bad("""
            import threading
            from functools import partial
            from multiprocessing import Pool

            def work(lock, item):
                with lock:
                    print(item)

            def run(items):
                lock = threading.Lock()
                with Pool() as pool:
                    pool.map(partial(work, lock), items)  # expect: CON603
            """),
        Bad("""
            import multiprocessing

            class Recorder(multiprocessing.Process):
                def __init__(self, path):
                    super().__init__()
                    self.out = open(path, "w")  # expect: CON603

                def run(self):
                    self.out.write("begun")
            """),
        Bad("""
            import multiprocessing

            def copy(lines, path):
                with open(path, "w") as out:
                    out.writelines(lines)

            def run(source, path):
                ctx = multiprocessing.get_context("forkserver")
                lines = open(source)
                process = ctx.Process(target=copy, args=(lines, path))  # expect: CON603
                process.start()
                process.join()
            """),
        Good("""
            import multiprocessing as mp

            def begin(queue):
                report.queue = queue

            def report(item):
                report.queue.put(item)

            def run(items):
                queue = mp.Queue()
                with mp.Pool(initializer=begin, initargs=(queue,)) as pool:
                    pool.map(report, items)
            """),
        Good("""
            import multiprocessing as mp

            def report(queue, item):
                queue.put(item)

            def run(items):
                with mp.Manager() as manager, mp.Pool() as pool:
                    queue, lock = manager.Queue(), manager.Lock()
                    return pool.starmap(report, [(queue, item) for item in items]), lock
            """),
        Good("""
            import multiprocessing as mp

            def work(queue, lock):
                with lock:
                    queue.put(1)

            def run():
                queue, lock = mp.Queue(), mp.Lock()
                process = mp.Process(target=work, args=(queue, lock))
                process.start()
                print(queue.get())
                process.join()
            """),
        Good("""
            import multiprocessing

            def copy(lines, path):
                with open(path, "w") as out:
                    out.writelines(lines)

            def run(source, path):
                with open(source) as lines:
                    process = multiprocessing.get_context("fork").Process(target=copy, args=(lines, path))
                    process.start()
                    process.join()
            """),
        Good("""
            import io
            import multiprocessing

            def show(text, sizes):
                print(text.getvalue(), sizes)

            def run(xs):
                process = multiprocessing.Process(target=show, args=(io.StringIO("x"), [len(x) for x in xs]))
                process.start()
                process.join()
            """),
        Good("""
            import multiprocessing

            class Recorder(multiprocessing.Process):
                def __init__(self, path):
                    super().__init__()
                    self.path = path
                    self.out = None

                def run(self):
                    self.out = open(self.path, "w")
            """),
    ),
)
