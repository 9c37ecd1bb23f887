"""This function cannot be sent to another process.

What a pool runs goes through a queue as a pickle: the name of a module and the name of a function in it.  A lambda has
no name, and a function inside another one is not found there: `PicklingError: Can't pickle <function …>`.  A bound
method is pickled with its object, and with all that the object has in it: a lock, a connection or the pool itself stop
it.  With `apply_async` and `submit` the error waits in the result until somebody looks.

A `Process` is pickled too, unless it is forked; that is the default on Linux until Python 3.13 only.

Give a function at the top level of a module, and what it needs as arguments.

See https://docs.python.org/3/library/pickle.html#what-can-be-pickled-and-unpickled and
https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods.

Not reported: processes that are forked by the program's own choice, picklers that can do more (loky, joblib, pathos,
dill, cloudpickle), and classes that say how they are pickled (`__getstate__`, `__reduce__`).  Tests would have
failed, so what they do is shown only where this rule is selected by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.jobs import EXECUTOR, METHODS, POOL

if TYPE_CHECKING:
    from conclint.source.source import Source


# asyncio's way to a pool of processes, and torch's loaders of data.
OTHERS = ("asyncio.AbstractEventLoop.run_in_executor", "torch.utils.data.DataLoader")


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.sending import sent, unsendable_function
    from conclint.source.testcode import in_test

    for one in sent(source):
        found = unsendable_function(source, one) if one.runs and one.pickled else None
        if found is not None:
            yield Finding(
                source.place(one.value),
                f"{found.what} cannot be pickled, so it is not sent to the process{one.where}; "
                "give a function at the top level of a module, and what it needs as arguments",
                notes=found.notes,
                when_asked=in_test(source, one.value),
            )


RULE = Rule(
    code="CON602",
    name="unpicklable-callable",
    triggers=calls("multiprocessing.Process", POOL, EXECUTOR, *METHODS, *OTHERS),
    check=check,
    examples=(
        Bad("""
            from concurrent.futures import ProcessPoolExecutor

            def successors(xs):
                with ProcessPoolExecutor() as pool:
                    return list(pool.map(lambda x: x + 1, xs))  # expect: CON602
            """),
        Bad("""
            import multiprocessing as mp

            def scaled(xs, factor):
                def scale(x):
                    return x * factor

                with mp.Pool() as pool:
                    return pool.map(scale, xs)  # expect: CON602
            """),
        Bad("""
            import multiprocessing as mp

            def preview(frame):
                ctx = mp.get_context("spawn")
                process = ctx.Process(target=lambda: print(frame))  # expect: CON602
                process.start()
                process.join()
            """),
        Bad("""
            import multiprocessing
            import threading

            class Renderer:
                def __init__(self):
                    self._lock = threading.Lock()
                    self.pool = multiprocessing.Pool(4)

                def render(self, frame):
                    return frame * 2

                def render_all(self, frames):
                    return self.pool.map(self.render, frames)  # expect: CON602
            """),
        Bad("""
            from multiprocessing import Process

            def begin(port):
                def serve():
                    print("serving", port)

                server = Process(target=serve)  # expect: CON602
                server.start()
                return server
            """),
        Bad("""
            import asyncio
            from concurrent.futures import ProcessPoolExecutor

            async def parse(text):
                def inner():
                    return text.split()

                with ProcessPoolExecutor() as pool:
                    loop = asyncio.get_running_loop()
                    await loop.run_in_executor(pool, inner)  # expect: CON602
                    await loop.run_in_executor(None, inner)
                    return await loop.run_in_executor(pool, lambda: text)  # expect: CON602
            """),
        Bad("""
            import multiprocessing as mp

            def lengths(names, log):
                with mp.get_context("spawn").Pool(2, initializer=lambda: log("begun")) as pool:  # expect: CON602
                    return pool.map(len, names)
            """),
        Bad("""
            from torch.utils.data import DataLoader

            def batches(data, pad):
                loader = DataLoader(
                    data,
                    num_workers=4,
                    collate_fn=lambda items: pad(items),  # expect: CON602
                )
                return list(loader), DataLoader(data, collate_fn=lambda items: pad(items))
            """),
        Good("""
            from concurrent.futures import ProcessPoolExecutor
            from functools import partial

            def add(step, x):
                return x + step

            def successors(xs, step):
                with ProcessPoolExecutor() as pool:
                    return list(pool.map(partial(add, step), xs))
            """),
        Good("""
            import multiprocessing as mp

            def preview(frame):
                process = mp.get_context("fork").Process(target=lambda: print(frame))
                process.start()
                process.join()
            """),
        Good("""
            from loky import ProcessPoolExecutor

            def successors(xs):
                with ProcessPoolExecutor() as pool:
                    return list(pool.map(lambda x: x + 1, xs))
            """),
        Good("""
            from multiprocessing.pool import ThreadPool

            def successors(xs):
                with ThreadPool() as pool:
                    return pool.map(lambda x: x + 1, xs)
            """),
        Good("""
            import multiprocessing
            import threading

            class Renderer:
                def __init__(self):
                    self._lock = threading.Lock()

                def __getstate__(self):
                    return {}

                def render(self, frame):
                    return frame * 2

                @staticmethod
                def rotate(frame):
                    return -frame

                def render_all(self, frames):
                    with multiprocessing.Pool(4) as pool:
                        return pool.map(self.render, frames), pool.map(self.rotate, frames)
            """),
        Good("""
            from multiprocessing import Pool

            def run(xs, factor):
                global scale

                def scale(x):
                    return x * factor

                with Pool() as pool:  # forked after `scale` was made: found under its global name
                    return pool.map(scale, xs)
            """),
    ),
)
