"""The lives of threads, processes and pools: which of their methods brings them where."""

from __future__ import annotations

from enum import Enum

THREAD, TIMER, PROCESS = "threading.Thread", "threading.Timer", "multiprocessing.Process"
EXECUTOR, POOL = "concurrent.futures.Executor", "multiprocessing.pool.Pool"


class Stage(Enum):
    """Where such an object is in its life, once it is made."""

    WORKS = "works"  # it was started, or was given work
    CLOSED = "closed"  # it takes no more work, or is told to end
    JOINED = "joined"  # somebody has waited for its end


W, C, J = Stage.WORKS, Stage.CLOSED, Stage.JOINED

# docs.python.org/3/library/threading.html#thread-objects, #timer-objects
# docs.python.org/3/library/multiprocessing.html#multiprocessing.Process, #multiprocessing.pool.Pool
# docs.python.org/3/library/concurrent.futures.html#executor-objects
LIVES: dict[str, dict[str, Stage]] = {
    THREAD: {"start": W, "join": J},
    TIMER: {"start": W, "cancel": C, "join": J},
    PROCESS: {"start": W, "terminate": C, "kill": C, "join": J},
    EXECUTOR: {"submit": W, "map": W, "shutdown": C},
    POOL: {
        **dict.fromkeys(("apply", "apply_async", "map", "map_async", "imap", "imap_unordered"), W),
        **dict.fromkeys(("starmap", "starmap_async"), W),
        "close": C,
        "terminate": C,
        "join": J,
    },
}


def moves(stage: Stage, *kinds: str) -> dict[str, Stage]:
    """The methods that bring objects of these kinds to the stage, by name."""
    return {method: to for kind in kinds for method, to in LIVES[kind].items() if to is stage}


def calls_to(stage: Stage, *kinds: str) -> tuple[str, ...]:
    """The same methods as they are called: `threading.Thread.start`."""
    return tuple(f"{kind}.{method}" for kind in kinds for method in moves(stage, kind))


# What runs by itself: it begins with one of these calls, and is waited for with the others.
STARTS = tuple(moves(Stage.WORKS, THREAD, TIMER, PROCESS))
JOINS = tuple(moves(Stage.JOINED, THREAD, TIMER, PROCESS))
