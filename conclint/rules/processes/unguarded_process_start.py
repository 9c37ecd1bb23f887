"""Each child process runs this module again, and so starts processes of its own.

A process that is not forked begins as a new interpreter: it imports the main module to find what it is to run.  What
that module does at its top level happens again, the start of processes too.  Python stops this with `RuntimeError: An
attempt has been made to start a new process before the current process has finished its bootstrapping phase`; a pool
then makes one broken worker after the other, for ever.  Windows and macOS start processes like this, and Linux too
since Python 3.14, where `forkserver` is the default.

Start processes in a function, and call it below `if __name__ == "__main__":`.

See https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods, "Safe importing of
main module".

Not reported: programs that choose `fork` themselves, `__main__.py`, which no child imports, and executors that are made
at the top level and get their work elsewhere.  Where a function on the way starts processes under a condition only,
that is shown to those who select the rule by name.

The fix puts the guard around everything from there to the end of the file, where no definitions follow; it is applied
with `--unsafe-fixes` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.index.facts import Use
from conclint.model import Edit, Finding, Fix, Note, Span
from conclint.program.contexts import site_place
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.calls import Site
    from conclint.program.children import Start
    from conclint.program.evidence import Evidence
    from conclint.source.source import Source

# What a child is, or what makes children, as part of a sentence.
WHAT = {"multiprocessing.Process": "a process", "multiprocessing.Manager": "a manager's process"}


SEVERAL_LINES = ('"""', "'''", "\\")


def conclude(evidence: Evidence) -> Iterator[Finding]:
    children = evidence.program.children
    seen = set()
    for start in children.starts():
        if children.method(start) in ("fork", "?") or children.defined_later(start) is not None:
            continue
        for way in children.on_import(start):
            place = site_place(way[0])
            if place not in seen and not place.path.endswith("__main__.py"):
                seen.add(place)
                notes, message = tuple(_notes(start, way)), _message(start, children.method(start))
                yield Finding(place, message, notes=notes, when_asked=_is_conditional(way))


def _is_conditional(way: tuple[Site, ...]) -> bool:
    """Whether some function on the way decides whether there is a process at all."""
    return any(site.call.use & Use.BRANCH for site in way[1:])


def _message(start: Start, method: str) -> str:
    when = "" if method else " (on Windows, macOS, and Linux since Python 3.14)"
    what = WHAT.get(start.kind, "a pool of processes")
    return (
        f"{what} is started whenever this module is imported, and every child imports it{when}; "
        'do it below `if __name__ == "__main__":`'
    )


def _notes(start: Start, way: tuple[Site, ...]) -> Iterator[Note]:
    if len(way) > 1:
        yield Note(site_place(start.site), "the process is started here")


def mend(source: Source, finding: Finding) -> Fix | None:
    """Everything from the statement to the end of the file below a main guard."""
    from conclint.source.imports import DEFINING, top_level

    lines = source.text.lines
    logical = list(top_level(lines))
    first = max(one.first for one in logical if one.first <= finding.place.span.line)
    rest = [one for one in logical if one.first >= first]
    if any(one.imports or one.words[0] in DEFINING or "__name__" in one.words for one in rest):
        return None  # what is defined there is needed by the children
    text = lines[first - 1 :]
    if any(mark in line for line in text for mark in SEVERAL_LINES):
        return None  # a text over several lines would change
    moved = ['if __name__ == "__main__":', *("    " + line if line.strip() else line for line in text)]
    span = Span(first, 1, len(lines), len(lines[-1]) + 1)
    return Fix("a main guard around it", (Edit(span, "\n".join(moved)),))


RULE = Rule(
    code="CON601",
    name="unguarded-process-start",
    triggers=calls(
        "multiprocessing.Process",
        "multiprocessing.pool.Pool",
        "multiprocessing.Manager",
        "concurrent.futures.ProcessPoolExecutor",
    ),
    conclude=conclude,
    mend=mend,
    examples=(
        Bad(
            """
            import multiprocessing as mp

            def square(x):
                return x * x

            pool = mp.Pool(4)  # expect: CON601
            print(pool.map(square, range(9)))
            """,
            fixed="""
            import multiprocessing as mp

            def square(x):
                return x * x

            if __name__ == "__main__":
                pool = mp.Pool(4)  # expect: CON601
                print(pool.map(square, range(9)))
            """,
        ),
        Bad(
            """
            from concurrent.futures import ProcessPoolExecutor

            def square(x):
                return x * x

            def main():
                with ProcessPoolExecutor() as pool:
                    print(list(pool.map(square, range(9))))

            main()  # expect: CON601
            """,
            fixed="""
            from concurrent.futures import ProcessPoolExecutor

            def square(x):
                return x * x

            def main():
                with ProcessPoolExecutor() as pool:
                    print(list(pool.map(square, range(9))))

            if __name__ == "__main__":
                main()  # expect: CON601
            """,
        ),
        Bad("""
            import multiprocessing

            def render(frame):
                print(frame)

            multiprocessing.set_start_method("spawn")
            workers = [multiprocessing.Process(target=render, args=(frame,)) for frame in range(4)]
            for worker in workers:
                worker.start()  # expect: CON601
            for worker in workers:
                worker.join()
            """),
        Bad("""
            from multiprocessing import Manager, Process

            shared = Manager().dict()  # expect: CON601

            def fill(key):
                shared[key] = True
            """),
        Good("""
            import multiprocessing as mp

            def square(x):
                return x * x

            def main():
                with mp.Pool(4) as pool:
                    print(pool.map(square, range(9)))

            if __name__ == "__main__":
                main()
            """),
        Good("""
            import multiprocessing as mp

            def render(frame):
                print(frame)

            child = mp.get_context("fork").Process(target=render, args=(1,))
            child.start()
            child.join()
            """),
        Good("""
            from concurrent.futures import ProcessPoolExecutor

            POOL = ProcessPoolExecutor(2)

            def square(x):
                return x * x

            def squares(xs):
                return list(POOL.map(square, xs))
            """),
        Good("""
            import multiprocessing
            from multiprocessing import Process

            def serve():
                print("serving")

            if multiprocessing.current_process().name == "MainProcess" and "x" > "":
                server = Process(target=serve)
                server.start()
                server.join()
            """),
        Good("""
            from multiprocessing.pool import ThreadPool

            pool = ThreadPool(4)
            print(pool.map(len, ["a", "b"]))
            """),
    ),
)
