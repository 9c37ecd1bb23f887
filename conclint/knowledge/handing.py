"""Calls that hand an object to a worker, which looks at it some time later."""

from __future__ import annotations

from conclint.knowledge.names import below

# docs.python.org/3/library/threading.html#thread-objects: begins with `start`
STARTED = frozenset({"threading.Thread", "threading.Timer"})

# docs.python.org/3/library/concurrent.futures.html, asyncio-eventloop.html, _thread.html.  The pools of processes
# pickle in a thread of their own, some time after the call: Lib/concurrent/futures/process.py,
# Lib/multiprocessing/pool.py
SUBMITTED = frozenset(
    {
        *(
            f"concurrent.futures.{pool}.submit"
            for pool in ("Executor", "ThreadPoolExecutor", "ProcessPoolExecutor", "InterpreterPoolExecutor")
        ),
        *below("multiprocessing.pool", "Pool.apply_async ThreadPool.apply_async"),
        "asyncio.AbstractEventLoop.run_in_executor",
        "asyncio.AbstractEventLoop.call_soon_threadsafe",
        "_thread.start_new_thread",
    }
)

# docs.python.org/3/library/queue.html; multiprocessing.html#multiprocessing.Queue: "a background thread will later
# flush the pickled data"; asyncio-queue.html
QUEUED = frozenset(
    {
        *(
            f"queue.{kind}.{put}"
            for kind in ("Queue", "SimpleQueue", "LifoQueue", "PriorityQueue")
            for put in ("put", "put_nowait")
        ),
        *below("multiprocessing.Queue", "put put_nowait"),
        *below("asyncio.Queue", "put put_nowait"),
    }
)

HANDING = STARTED | SUBMITTED | QUEUED

# docs.python.org/3/library/io.html#io.RawIOBase.readinto, socket.html#socket.socket.recv_into; numpy.org/doc/stable:
# what writes into the buffer that it is given, and what makes one
FILLING = frozenset({"readinto", "readinto1", "recv_into", "recvfrom_into", "copyto"})
BUFFERS = frozenset(below("numpy", "empty zeros ones empty_like zeros_like"))

# What is called so waits for a worker, or for its answer.
WAITING = frozenset({"result", "join", "shutdown", "wait", "exception", "as_completed", "gather", "get", "wait_for"})
