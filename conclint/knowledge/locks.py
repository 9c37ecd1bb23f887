"""Lock types, and what each of them keeps out."""

from __future__ import annotations

from conclint.knowledge.kinds import Context, LockKind
from conclint.knowledge.names import below, each

LOOP, PROCESS, THREAD = Context.LOOP, Context.PROCESS, Context.THREAD

# docs.python.org/3/library/threading.html#lock-objects … #semaphore-objects; a Condition makes itself an RLock
# docs.python.org/3/library/_thread.html#thread.allocate_lock
THREADING = {
    "threading.Lock": LockKind(THREAD),
    "threading.RLock": LockKind(THREAD, reentrant=True),
    "threading.Condition": LockKind(THREAD, reentrant=True, condition=True),
    "threading.Semaphore": LockKind(THREAD, counting=True),
    "threading.BoundedSemaphore": LockKind(THREAD, counting=True),
}

# docs.python.org/3/library/multiprocessing.html#synchronization-primitives: they keep out threads of this process too
# docs.python.org/3/library/multiprocessing.html#multiprocessing.Value; Lib/multiprocessing/sharedctypes.py
MULTIPROCESSING = {
    "multiprocessing.Lock": LockKind(PROCESS),
    "multiprocessing.RLock": LockKind(PROCESS, reentrant=True),
    "multiprocessing.Condition": LockKind(PROCESS, reentrant=True, condition=True),
    "multiprocessing.Semaphore": LockKind(PROCESS, counting=True),
    "multiprocessing.BoundedSemaphore": LockKind(PROCESS, counting=True),
    "multiprocessing.sharedctypes.SynchronizedBase": LockKind(PROCESS, reentrant=True),
}

# docs.python.org/3/library/asyncio-sync.html: not re-entrant, and for the tasks of one loop only
# anyio.readthedocs.io/en/stable/synchronization.html; trio.readthedocs.io/en/stable/reference-core.html
# www.tornadoweb.org/en/stable/locks.html; gevent.org/api/gevent.lock.html
TASKS = {
    **each(["asyncio.Lock", "anyio.Lock", "trio.Lock", "trio.StrictFIFOLock", "tornado.locks.Lock"], LockKind(LOOP)),
    **each(["asyncio.Condition", "anyio.Condition", "trio.Condition"], LockKind(LOOP, condition=True)),
    **each(
        [
            *below("asyncio", "Semaphore BoundedSemaphore"),
            *below("anyio", "Semaphore CapacityLimiter"),
            *below("trio", "Semaphore CapacityLimiter"),
            *below("tornado.locks", "Semaphore BoundedSemaphore"),
            *below("gevent.lock", "Semaphore BoundedSemaphore"),
        ],
        LockKind(LOOP, counting=True),
    ),
    "gevent.lock.RLock": LockKind(LOOP, reentrant=True),
}

# py-filelock.readthedocs.io: re-entrant; fasteners.readthedocs.io; portalocker.readthedocs.io
FILES = {
    **each(
        below("filelock", "BaseFileLock FileLock SoftFileLock UnixFileLock WindowsFileLock"),
        LockKind(PROCESS, reentrant=True),
    ),
    "fasteners.InterProcessLock": LockKind(PROCESS),
    **each(below("portalocker", "Lock TemporaryFileLock RedisLock"), LockKind(PROCESS)),
    "portalocker.RLock": LockKind(PROCESS, reentrant=True),
    "portalocker.BoundedSemaphore": LockKind(PROCESS, counting=True),
}

# redis.readthedocs.io/en/stable/lock.html; kazoo.readthedocs.io/en/latest/api/recipe/lock.html
# grantjenks.com/docs/diskcache/api.html#recipes; distributed.dask.org/en/stable/api.html#distributed.Lock
SERVICES = {
    **each(["redis.lock.Lock", "kazoo.recipe.lock.Lock", "diskcache.Lock", "distributed.Lock"], LockKind(PROCESS)),
    "diskcache.RLock": LockKind(PROCESS, reentrant=True),
    **each(["diskcache.BoundedSemaphore", "distributed.Semaphore", "kazoo.recipe.lock.Semaphore"],
           LockKind(PROCESS, counting=True)),
    "redis.asyncio.lock.Lock": LockKind(PROCESS),
}  # fmt: skip

# github.com/elarivie/pyReaderWriterLock: what gen_rlock and gen_wlock return
# doc.qt.io/qtforpython-6/PySide6/QtCore/QMutex.html
OTHERS = {
    "readerwriterlock.rwlock.Lockable": LockKind(THREAD),
    **each([f"{binding}.QtCore.QMutex" for binding in ("PySide6", "PySide2", "PyQt5", "PyQt6")], LockKind(THREAD)),
    **each([f"{binding}.QtCore.QRecursiveMutex" for binding in ("PySide6", "PyQt6")], LockKind(THREAD, reentrant=True)),
}

# The standard library's own: an object of one is a lock that nobody else has.
STANDARD = tuple(
    name
    for name in (*THREADING, *MULTIPROCESSING, *TASKS)
    if name.startswith(("threading.", "multiprocessing.", "asyncio."))
)

# docs.python.org/3/library/threading.html#condition-objects, asyncio-sync.html#condition
NOTIFYING = frozenset({"notify", "notify_all", "notifyAll"})

LOCKS = THREADING | MULTIPROCESSING | TASKS | FILES | SERVICES | OTHERS


def methods(*names: str) -> list[str]:
    """These methods of every lock type, as they are called."""
    return [f"{lock}.{name}" for lock in LOCKS for name in names]
