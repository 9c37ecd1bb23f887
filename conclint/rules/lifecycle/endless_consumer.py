"""Nothing ends this loop: the thread waits in `get()` for ever, and the interpreter waits for the thread.

A consumer that takes item after item from a queue does not notice that no more will come. Whoever joins it waits for
ever; and since it is no daemon, so does the interpreter at exit: the program is done and does not end.

Let a last item end the loop, `while (item := q.get()) is not None`, and put it at the end, once for each consumer; or,
since Python 3.13, call `q.shutdown()`.

Not reported: daemons, loops that something leaves, queues that are shut down, and `get` with a time limit.

See https://docs.python.org/3/library/queue.html#queue.Queue.get
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.model import Finding
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.program.scene import RunScene
    from conclint.program.values import Store
    from conclint.source.source import Source

GETS = ("queue.Queue.get", "queue.SimpleQueue.get")
LEAVING = (cst.Break, cst.Return, cst.Raise, cst.Yield)
ENDING = frozenset({"exit", "_exit", "abort", "quit", "shutdown"})


def check(source: Source) -> Iterator[Finding]:
    for call in source.all(cst.Call):
        if not source.calls(call, *GETS) or not all(path_of(arg.value) in ("True", "None") for arg in call.args):
            continue
        run = _run(source, call)
        if run is not None and _endless(source, call):
            text = source.code(call)
            message = f"nothing ends this loop: the thread waits in `{text}` for ever, and the interpreter for it"
            yield Finding(source.place(call), f"{message}; let a last item end it", notes=run.trace)


def _run(source: Source, call: cst.Call) -> RunScene | None:
    """How a thread that is no daemon comes to run the function itself."""
    function = source.function(call)
    runs = function.runs_in(Context.THREAD) if function is not None else ()
    direct = [run for run in runs if len(run.trace) == 1]
    return direct[0] if direct and all(run.lasting for run in direct) and len(direct) == len(runs) else None


def _endless(source: Source, call: cst.Call) -> bool:
    """Whether the call stands in a loop of its function that nothing leaves."""
    from conclint.source.tree import below

    loop = source.nearest(call, cst.While, cst.FunctionDef, cst.Lambda)
    if not isinstance(loop, cst.While) or path_of(loop.test) not in ("True", "") or not _constant(loop.test):
        return False
    inside = list(below(loop.body))
    called = {path_of(node.func).rpartition(".")[2] for node in inside if isinstance(node, cst.Call)}
    left = any(isinstance(node, LEAVING) for node in inside)
    return not left and not ENDING & called and not _shut_down(source, call)


def _constant(test: cst.BaseExpression) -> bool:
    return isinstance(test, cst.Integer) or (isinstance(test, cst.Name) and test.value == "True")


def _shut_down(source: Source, get: cst.Call) -> bool:
    """Whether the file shuts the queue down, as far as one can tell it from others."""
    own = _queue(source, get)
    shut = [_queue(source, call) for call in source.all(cst.Call) if source.calls(call, "queue.Queue.shutdown")]
    return any(own is None or one is None or one == own for one in shut)


def _queue(source: Source, call: cst.Call) -> Store | None:
    return source.named(call.func.value).store if isinstance(call.func, cst.Attribute) else None


RULE = Rule(
    code="CON210",
    name="endless-consumer",
    triggers=calls(*GETS, "queue.Queue.shutdown"),
    check=check,
    examples=(
        Bad("""
            import queue
            import threading

            items = queue.Queue()

            def work():
                while True:
                    print(items.get())  # expect: CON210

            def begin():
                thread = threading.Thread(target=work)
                thread.start()
                return thread
            """),
        Bad("""
            from queue import SimpleQueue
            from threading import Thread

            class Sender(Thread):
                def __init__(self, send):
                    super().__init__()
                    self.items = SimpleQueue()
                    self.send = send

                def run(self):
                    while 1:
                        item = self.items.get(block=True)  # expect: CON210
                        try:
                            self.send(item)
                        except OSError as error:
                            print(error)

            def begin(send):
                sender = Sender(send)
                sender.start()
                return sender
            """),
        Bad("""
            import queue
            import threading

            def work(items, handle):
                while True:
                    item = items.get()  # expect: CON210
                    if item:
                        handle(item)

            def handle_all(handle, wanted):
                items = queue.Queue()
                threads = [threading.Thread(target=work, args=(items, handle)) for _ in range(4)]
                for thread in threads:
                    thread.start()
                for one in wanted:
                    items.put(one)
                for thread in threads:
                    thread.join()
            """),
        Good("""
            import queue
            import threading

            items = queue.Queue()

            def until_last():
                while True:
                    item = items.get()
                    if item is None:
                        break
                    print(item)

            def while_any():
                while (item := items.get()) is not None:
                    print(item)

            def limited(stop):
                while not stop.is_set():
                    try:
                        print(items.get(timeout=1))
                    except queue.Empty:
                        continue

            def in_background():
                while True:
                    print(items.get())

            def begin(stop):
                threading.Thread(target=in_background, daemon=True).start()
                threads = [threading.Thread(target=limited, args=(stop,))]
                threads += [threading.Thread(target=until_last), threading.Thread(target=while_any)]
                for thread in threads:
                    thread.start()
                return threads
            """),
    ),
)
