"""A daemonic process may not have children, so this raises an AssertionError in the worker.

`AssertionError: daemonic processes are not allowed to have children`: a daemon is killed when its parent ends, and
its children would be left behind.  The workers of a `multiprocessing.Pool` are daemons, and so are processes that are
made with `daemon=True`.

Let the outer process be no daemon, or use a `ProcessPoolExecutor` outside, whose workers may have children; or start
all processes from one place.

See https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.daemon.

Not reported: workers of executors, and threads in a worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.knowledge.kinds import Context
from conclint.model import Finding
from conclint.program.contexts import evidence as trace
from conclint.program.contexts import site_place
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.contexts import Run
    from conclint.program.evidence import Evidence

PROCESS, POOL = "multiprocessing.Process", "multiprocessing.pool.Pool"


def conclude(evidence: Evidence) -> Iterator[Finding]:
    program = evidence.program
    seen = set()
    for start in program.children.starts():
        place = site_place(start.site)
        runs = program.contexts.runs(start.site.caller)
        run = next((one for one in runs if _is_daemonic(evidence, one)), None)
        if run is not None and place not in seen:
            seen.add(place)
            yield Finding(
                place,
                "this runs in a daemonic process, which is not allowed to have children, and raises an AssertionError; "
                "make the outer process no daemon, or use a ProcessPoolExecutor there",
                notes=trace(run),
            )


def _is_daemonic(evidence: Evidence, run: Run) -> bool:
    if run.context is not Context.PROCESS:
        return False
    how = run.root.how
    if how == PROCESS:
        return evidence.program.handles.fate(run.root.site).daemon is True
    return how == POOL or how.startswith(f"{POOL}.")


RULE = Rule(
    code="CON615",
    name="child-of-daemon",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import multiprocessing as mp

            def outer(xs):
                with mp.Pool() as pool:  # expect: CON615
                    print(pool.map(abs, xs))

            def begin(xs):
                process = mp.Process(target=outer, args=(xs,), daemon=True)
                process.start()
                process.join()
            """),
        Bad("""
            from multiprocessing import Pool, Process

            def render(frame):
                print(frame)

            def scene(frames):
                helper = Process(target=render, args=(frames[0],))
                helper.start()  # expect: CON615
                helper.join()

            def film(scenes):
                with Pool(4) as pool:
                    pool.map(scene, scenes)
            """),
        Bad("""
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor

            class Service(multiprocessing.Process):
                def __init__(self):
                    super().__init__(daemon=True)

                def run(self):
                    with ProcessPoolExecutor() as pool:
                        print(list(pool.map(abs, [1, -2])))  # expect: CON615

            def begin():
                service = Service()
                service.start()
                return service
            """),
        Good("""
            import multiprocessing as mp

            def outer(xs):
                with mp.Pool() as pool:
                    print(pool.map(abs, xs))

            def begin(xs):
                process = mp.Process(target=outer, args=(xs,))
                process.start()
                process.join()
            """),
        Good("""
            import multiprocessing as mp
            from concurrent.futures import ProcessPoolExecutor

            def outer(xs):
                with mp.Pool() as pool:
                    return pool.map(abs, xs)

            def begin(groups):
                with ProcessPoolExecutor() as pool:
                    return list(pool.map(outer, groups))
            """),
        Good("""
            import multiprocessing as mp
            from multiprocessing.pool import ThreadPool

            def outer(xs):
                with ThreadPool() as pool:
                    return pool.map(abs, xs)

            def begin(groups):
                with mp.Pool() as pool:
                    return pool.map(outer, groups)
            """),
    ),
)
