"""`join` waits for a child that waits for its queue to be emptied: both wait for ever.

A `multiprocessing.Queue` has a thread in each process that puts: it writes the items into a pipe, and the process
does not end before all of them are written.  The pipe holds some 64 KB.  A child with more to say stays in its end,
`join()` waits for the end, and the `get()` that would make room comes after the `join()`.  With small results all is
well, until one is large.

Get the results first, then join: `result = queue.get(); process.join()`.

See https://docs.python.org/3/library/multiprocessing.html#programming-guidelines, "Joining processes that use queues".

Not reported: a `join` with a timeout, a `SimpleQueue`, the queue of a `Manager`, which lives in a process of its own,
queues that this function fills itself, hands to others or reads before, `cancel_join_thread()`, and tests, whose
results are small.

The fix swaps two neighbouring statements; it is made where one `get()` follows one `join()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding, Note
from conclint.program.triggers import starts
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

PROCESS = "multiprocessing.Process"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.draining import late_gets, swapped
    from conclint.source.testcode import in_test

    for drain in late_gets(source):
        if not in_test(source, drain.join):
            yield Finding(
                source.place(drain.join),
                f"`join` waits for a process that cannot end before `{drain.queue}` is emptied, "
                "which happens only afterwards; get the results first, then join",
                notes=(Note(source.place(drain.get), "the queue is emptied here"),),
                fix=swapped(source, drain),
            )


RULE = Rule(
    code="CON606",
    name="join-before-drain",
    triggers=starts(PROCESS, f"{PROCESS}.join"),
    check=check,
    examples=(
        Bad(
            """
            import multiprocessing as mp

            def produce(queue):
                queue.put("x" * 10_000_000)

            def run():
                queue = mp.Queue()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                process.join()  # expect: CON606
                text = queue.get()
                return text
            """,
            fixed="""
            import multiprocessing as mp

            def produce(queue):
                queue.put("x" * 10_000_000)

            def run():
                queue = mp.Queue()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                text = queue.get()
                process.join()  # expect: CON606
                return text
            """,
        ),
        Bad("""
            from multiprocessing import Process, Queue

            def produce(part, queue):
                queue.put(part)

            def run(parts):
                queue = Queue()
                running = []
                for part in parts:
                    process = Process(target=produce, args=(part, queue))
                    process.start()
                    running.append(process)
                for process in running:
                    process.join()  # expect: CON606
                results = []
                while not queue.empty():
                    results.append(queue.get())
                return results
            """),
        Bad("""
            import queue as plain
            from multiprocessing import get_context

            def isolated(work, payload, timeout):
                ctx = get_context("spawn")
                q = ctx.Queue(maxsize=1)
                proc = ctx.Process(target=work, args=(q, payload))
                proc.start()
                proc.join()  # expect: CON606
                if proc.exitcode == 0:
                    try:
                        return q.get(timeout=timeout)
                    except plain.Empty as error:
                        raise RuntimeError("no result") from error
                return None
            """),
        Bad("""
            import multiprocessing as mp

            class Render:
                def __init__(self, work):
                    self.results = mp.Queue()
                    self.child = mp.Process(target=work, args=(self.results,))
                    self.child.start()

                def finish(self):
                    self.child.join()  # expect: CON606
                    return self.results.get()
            """),
        Good("""
            import multiprocessing as mp

            def run(produce):
                queue = mp.Queue()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                text = queue.get()
                process.join()
                return text
            """),
        Good("""
            import multiprocessing as mp

            def run(produce):
                queue = mp.Manager().Queue()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                process.join()
                return queue.get()
            """),
        Good("""
            import multiprocessing as mp

            def run(consume, jobs):
                queue = mp.Queue()
                process = mp.Process(target=consume, args=(queue,))
                process.start()
                for job in jobs:
                    queue.put(job)
                process.join()
                while not queue.empty():
                    print("left over", queue.get())
            """),
        Good("""
            import multiprocessing as mp

            def run(produce):
                queue = mp.Queue()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                process.join(10)
                return queue.get_nowait()
            """),
        Good("""
            import multiprocessing as mp
            import threading

            def drain(queue, found):
                for item in iter(queue.get, None):
                    found.append(item)

            def run(produce):
                queue, found = mp.Queue(), []
                reader = threading.Thread(target=drain, args=(queue, found))
                reader.start()
                process = mp.Process(target=produce, args=(queue,))
                process.start()
                process.join()
                queue.put(None)
                reader.join()
                return found
            """),
        Good("""
            import multiprocessing as mp

            class Render:
                def __init__(self, work):
                    self.jobs = mp.Queue()
                    self.child = mp.Process(target=work, args=(self.jobs,))
                    self.child.start()

                def render(self, frame):
                    self.jobs.put(frame)

                def finish(self):
                    self.child.join()
                    while not self.jobs.empty():
                        print("not rendered", self.jobs.get())
            """),
        Good("""
            import multiprocessing as mp

            def run(produce, parts):
                queue = mp.SimpleQueue()
                process = mp.Process(target=produce, args=(queue, parts))
                process.start()
                process.join()
                return queue.get()
            """),
    ),
)
