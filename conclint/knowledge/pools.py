"""What pools give back for the work that they are given: what tells of the work's end, and of its exception."""

from __future__ import annotations

from enum import Enum

from conclint.knowledge.names import below, each, members


class Gives(Enum):
    """What a pool's method returns."""

    FUTURE = "future"  # keeps the exception until somebody asks
    RESULTS = "iterator"  # raises it when the iteration comes to it
    ANSWER = "result"  # raises it in `get()`; what is still to come is lost with the pool
    STREAM = "stream"  # an iterator of the same kind


_EXECUTOR = "concurrent.futures.Executor"
_POOL = "multiprocessing.pool.Pool"
_POOLED = "apply apply_async map map_async starmap starmap_async imap imap_unordered"

# docs.python.org/3/library/concurrent.futures.html#executor-objects
# docs.python.org/3/library/multiprocessing.html#module-multiprocessing.pool
GIVES = {
    f"{_EXECUTOR}.submit": Gives.FUTURE,
    f"{_EXECUTOR}.map": Gives.RESULTS,
    **each(below(_POOL, "apply_async map_async starmap_async"), Gives.ANSWER),
    **each(below(_POOL, "imap imap_unordered"), Gives.STREAM),
}
GIVEN = tuple(GIVES)
SUBMITTED = tuple(name for name, gives in GIVES.items() if gives is Gives.FUTURE)
LATER = tuple(name for name, gives in GIVES.items() if gives in (Gives.ANSWER, Gives.STREAM))
ITERATED = tuple(name for name, gives in GIVES.items() if gives in (Gives.RESULTS, Gives.STREAM))

# Whose exceptions come back to whoever gave the work.
POOL_METHODS = frozenset(
    f"{owner}.{name}"
    for owner, names in (
        ("concurrent.futures.Executor", "submit map"),
        ("concurrent.futures.ThreadPoolExecutor", "submit map"),
        ("concurrent.futures.ProcessPoolExecutor", "submit map"),
        (_POOL, _POOLED),
        ("multiprocessing.pool.ThreadPool", _POOLED),
    )
    for name in names.split()
)

# What ends something: at the end nobody is left to care.
LAST = members("close join shutdown stop cancel kill terminate cleanup disconnect set release unlink remove")

POOLS = (
    "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.InterpreterPoolExecutor",
    _POOL,
    "multiprocessing.pool.ThreadPool",
)

WAITS = ("concurrent.futures.wait", "concurrent.futures.as_completed")

FUTURE = "concurrent.futures.Future"
ANSWER = "multiprocessing.pool.AsyncResult"
