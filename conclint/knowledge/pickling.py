"""What cannot be sent to another process, and what can only be inherited by one."""

from __future__ import annotations

from conclint.knowledge.names import below

# docs.python.org/3/library/pickle.html#what-can-be-pickled-and-unpickled; each raises "cannot pickle … object".
# Sockets are missing: multiprocessing knows how to send them.
UNPICKLABLE = frozenset(
    {
        *below("threading", "Lock RLock Condition Semaphore BoundedSemaphore Event Barrier Thread Timer local"),
        *below("queue", "Queue LifoQueue PriorityQueue SimpleQueue"),
        "io.IOBase", "mmap.mmap", "ssl.SSLContext", "ssl.SSLSocket", "select.epoll",
        *below("sqlite3", "Connection Cursor"),
        *below("concurrent.futures", "Executor Future"),
        # Lib/multiprocessing/pool.py: "pool objects cannot be passed between processes or pickled"
        "multiprocessing.pool.Pool", "multiprocessing.pool.AsyncResult", "multiprocessing.managers.BaseManager",
        "subprocess.Popen", "logging.Handler", "contextvars.Context",
        *below("asyncio", "AbstractEventLoop Future Lock Event Condition Semaphore Queue"),
        # The packages' API pages: connections and what holds them
        "psycopg2.extensions.connection", "psycopg2.extensions.cursor", "psycopg.Connection", "psycopg.Cursor",
        "pymysql.connections.Connection", "pymysql.cursors.Cursor", "sqlalchemy.engine.Connection",
        "pymongo.MongoClient", "paramiko.SSHClient", "paramiko.Transport",
    }
)  # fmt: skip

# In memory, and as good as a text: docs.python.org/3/library/io.html
PICKLABLE = frozenset({"io.StringIO", "io.BytesIO"})

# docs.python.org/3/library/multiprocessing.html#multiprocessing.Queue, Lib/multiprocessing/context.py, assert_spawning:
# "should only be shared between processes through inheritance"
INHERITED = frozenset(
    {
        *below("multiprocessing", "Queue JoinableQueue SimpleQueue Lock RLock Condition Semaphore BoundedSemaphore"),
        *below("multiprocessing", "Event Barrier"),
        "multiprocessing.sharedctypes.SynchronizedBase",
    }
)

# What threads share, and what does the same for processes: docs.python.org/3/library/multiprocessing.html#reference
TWINS = {
    **{f"threading.{name}": name for name in (
        "Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier",
    )},
    "queue.Queue": "Queue",
    "queue.SimpleQueue": "SimpleQueue",
}  # fmt: skip

# Methods with which a class says itself how it is pickled.
SAYS_HOW = frozenset({"__getstate__", "__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__"})

# What copies or pickles its first argument, attribute by attribute: docs.python.org/3/library/copy.html, pickle.html,
# shelve.html, multiprocessing.html#exchanging-objects-between-processes; the packages' own pages
TAKING_APART = frozenset(
    {
        "copy.deepcopy",
        *(f"{package}.{name}" for package in ("pickle", "cloudpickle", "dill", "joblib") for name in ("dump", "dumps")),
        "pickle.Pickler.dump", "torch.save",
        *below("multiprocessing", "Queue.put Queue.put_nowait JoinableQueue.put SimpleQueue.put"),
        "multiprocessing.connection.Connection.send",
    }
)  # fmt: skip
