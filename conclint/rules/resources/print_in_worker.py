"""Lines that several threads or processes print at once run into each other.

`print` writes the text and the line end in two steps, and a line longer than the buffer in even more.  Two threads, or
two processes with the same terminal, mix their pieces.  A logger writes each record under its lock; or let the workers
return what is to be said, and print it in one place.

Not reported: a single worker beside a silent main thread, threads of which each is joined before the next, output under
one lock everywhere (be it the caller's), `file=` an object of the worker's own, threads that write to different
streams, signs of life (a dot with `end=""`), and threads of which the same line starts one or the other.
Where the program does not show that two of them print at the same time, it is shown to those who select CON510: a
thread that a method starts, once as far as one can see; two threads that two branches start; a worker beside main,
unless both print in loops.  So is what is printed in another file, calls away from the worker's start, what web
applications and Celery's tasks print, whole lines written in one step, tracebacks, a worker's last words, what is said
when somebody presses Ctrl-C, and what is said beside tests and in folders of examples and benchmarks, which show what
goes by.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.kinds import Context
from conclint.knowledge.terminals import PRINTING
from conclint.knowledge.webservers import SERVED
from conclint.model import Finding, Fix, Note
from conclint.program.contexts import Run
from conclint.program.contexts import evidence as trace
from conclint.program.evidence import Evidence
from conclint.program.outputs import Mix
from conclint.program.testfiles import among_tests, for_show
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source


# What these call prints wherever it is called: that is its work.
TRACERS = ("threading.settrace", "threading.setprofile")

# So many calls away from its start nobody thinks of the worker any more; in another file, or beside main, soon.
FAR = 4
NEAR = 2


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for mix in evidence.mixes:
        yield Finding(
            mix.one.output.place,
            f"{_who(mix)} write here with `{mix.one.output.text}` at once, and their lines mix; log instead, or hold "
            "one lock around each",
            notes=_notes(mix),
            when_asked=mix.one.run is not None and _is_weak(mix, mix.one.run),
        )


def _is_weak(mix: Mix, run: Run) -> bool:
    """Whether the lines hardly ever meet, or nobody minds."""
    output = mix.one.output
    steps = trace(run)
    elsewhere = any(note.place.path != output.place.path for note in steps)
    far = len(steps) > (NEAR if elsewhere or mix.other.run is None else FAR)
    caught = output.caught if mix.other.run is not None else mix.other.output.caught
    last_words = caught and not run.root.at_once
    shown = among_tests(output.place.path) or for_show(output.place.path)
    mains = mix.other.run is None and mix.other.output.whole
    said = output.whole or mains or last_words or not mix.sure
    return far or said or shown or run.root.how.startswith((*SERVED, *TRACERS))


def _who(mix: Mix) -> str:
    if mix.other.run is None:
        return "a worker and the main thread"
    return "several workers" if mix.one.run and mix.other.run.root.number == mix.one.run.root.number else "two workers"


def _notes(mix: Mix) -> tuple[Note, ...]:
    notes = list(trace(mix.one.run)) if mix.one.run is not None else []
    if mix.other.run is None:
        notes.append(Note(mix.other.output.place, "meanwhile the main thread writes here"))
    elif mix.one.run is None or mix.other.run.root.number != mix.one.run.root.number:
        notes += trace(mix.other.run)
    return tuple(dict.fromkeys(notes))


def mend(source: Source, finding: Finding) -> Fix | None:
    from conclint.source.printing import log_or_lock

    return log_or_lock(source, finding.place.span)


RULE = Rule(
    code="CON510",
    name="print-in-worker",
    triggers=calls(*PRINTING, runs_in=(Context.THREAD, Context.PROCESS)),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import logging
            from concurrent.futures import ThreadPoolExecutor

            logger = logging.getLogger(__name__)

            def job(number):
                print("done", number)  # expect: CON510

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(job, range(9)))
            """,
            fixed="""
            import logging
            from concurrent.futures import ThreadPoolExecutor

            logger = logging.getLogger(__name__)

            def job(number):
                logger.info("done %s", number)  # expect: CON510

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(job, range(9)))
            """,
        ),
        Bad(
            """
            import sys
            import threading

            def left():
                sys.stdout.write("left")  # expect: CON510

            def right():
                print("right", file=sys.stdout)  # expect: CON510

            def main():
                workers = [threading.Thread(target=left), threading.Thread(target=right)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
            """,
            fixed="""
            import sys
            import threading

            print_lock = threading.Lock()

            def left():
                with print_lock:
                    sys.stdout.write("left")  # expect: CON510

            def right():
                with print_lock:
                    print("right", file=sys.stdout)  # expect: CON510

            def main():
                workers = [threading.Thread(target=left), threading.Thread(target=right)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
            """,
        ),
        Good("""
            import logging
            from concurrent.futures import ThreadPoolExecutor

            def job(number):
                logging.info("done %s", number)

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(job, range(9)))
            """),
        Good("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            lock = threading.Lock()

            def tell(text):
                print(text)  # every caller holds the lock

            def job(number):
                with lock:
                    tell(f"done {number}")

            def main():
                with ThreadPoolExecutor() as pool:
                    list(pool.map(job, range(9)))
            """),
        Good("""
            import sys
            import threading

            def out(pipe):
                for line in pipe:
                    print(line)

            def err(pipe):
                for line in pipe:
                    print(line, file=sys.stderr)

            def main(child):
                readers = [threading.Thread(target=out, args=(child.stdout,)),
                           threading.Thread(target=err, args=(child.stderr,))]
                for reader in readers:
                    reader.start()
                for reader in readers:
                    reader.join()
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def job(number):
                print(".", end="", flush=True)
                return number * number

            def main():
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(job, range(9)))
            """),
        Good("""
            import threading

            def beat(stop):
                while not stop.wait(1):
                    print(".", end="", flush=True)  # the only one that says anything

            def main(task):
                stop = threading.Event()
                heart = threading.Thread(target=beat, args=(stop,))
                heart.start()
                task()
                stop.set()
                heart.join()
                print("done")
            """),
    ),
)
