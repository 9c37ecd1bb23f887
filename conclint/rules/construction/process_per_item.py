"""One process per work item has no limit, and what goes wrong in it is lost.

Each process is an interpreter with its own memory and imports; a hundred of them on eight cores only wait for each
other.  An exception in a `Process` is printed and shows in `exitcode` alone, which the usual `join` does not look at;
what the function returns is lost.

Give the items to a `ProcessPoolExecutor`: it keeps one process per core, and each result, looked at, gives its value
or raises its exception: `with ProcessPoolExecutor() as pool: results = list(pool.map(render, frames))`.

Not reported: tests; processes that serve until they are told to stop, and their supervisors; a small fixed number of
processes; different targets; processes with a pipe, queue, lock or event, which an executor cannot hand on; classes
with methods of their own to call; processes that somebody watches, ends or names, or that run as daemons.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.lives import PROCESS
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.fanout import per_item
from conclint.source.makers import makers
from conclint.source.pooled import pooled

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    for made in makers(source):
        notes = per_item(source, made) if made.kind == PROCESS else None
        if notes is not None:
            yield Finding(
                source.place(made.call),
                "each item gets a process of its own, without limit, and its exceptions are lost; "
                "give the items to a ProcessPoolExecutor and look at the results",
                notes=notes,
                fix=pooled(source, made),
            )


RULE = Rule(
    code="CON122",
    name="process-per-item",
    triggers=calls(PROCESS),
    check=check,
    examples=(
        Bad(
            """
            import multiprocessing as mp

            def render(scene, frame):
                with open(f"{scene}-{frame}.ppm", "wb") as out:
                    out.write(b"P6 1 1 255 ...")

            def render_all(scene, frames):
                jobs = [mp.Process(target=render, args=(scene, frame)) for frame in frames]  # expect: CON122
                for job in jobs:
                    job.start()
                for job in jobs:
                    job.join()
            """,
            fixed="""
            import multiprocessing as mp
            from concurrent.futures import ProcessPoolExecutor

            def render(scene, frame):
                with open(f"{scene}-{frame}.ppm", "wb") as out:
                    out.write(b"P6 1 1 255 ...")

            def render_all(scene, frames):
                with ProcessPoolExecutor() as pool:
                    futures = [pool.submit(render, scene, frame) for frame in frames]  # expect: CON122
                    for future in futures:
                        future.result()
            """,
        ),
        Bad(
            """
            import multiprocessing

            ctx = multiprocessing.get_context("spawn")

            def pack(folder):
                print(folder)

            def pack_all(folders):
                running = []
                for folder in folders:
                    process = ctx.Process(target=pack, args=(folder,))  # expect: CON122
                    process.start()
                    running.append(process)
                for process in running:
                    process.join()
            """,
            fixed="""
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor

            ctx = multiprocessing.get_context("spawn")

            def pack(folder):
                print(folder)

            def pack_all(folders):
                with ProcessPoolExecutor(mp_context=ctx) as pool:
                    list(pool.map(pack, folders))  # expect: CON122
            """,
        ),
        Good("""
            from concurrent.futures import ProcessPoolExecutor

            def render(frame):
                print(frame)

            def render_all(frames):
                with ProcessPoolExecutor() as pool:
                    return list(pool.map(render, frames))
            """),
        Good("""
            import multiprocessing

            def step(seed, connection):
                connection.send(seed)

            def step_all(seeds):
                ends, processes = [], []
                for seed in seeds:
                    here, there = multiprocessing.Pipe()
                    process = multiprocessing.Process(target=step, args=(seed, there))
                    process.start()
                    ends.append(here)
                    processes.append(process)
                for end, process in zip(ends, processes):
                    print(end.recv())
                    process.join()
            """),
        Good("""
            import multiprocessing

            def fetch(url):
                print(url)

            def parse(path):
                print(path)

            def both(url, path):
                processes = [
                    multiprocessing.Process(target=fetch, args=(url,)),
                    multiprocessing.Process(target=parse, args=(path,)),
                ]
                for process in processes:
                    process.start()
                for process in processes:
                    process.join()
            """),
    ),
)
