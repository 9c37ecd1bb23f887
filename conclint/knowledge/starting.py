"""What starts work elsewhere, by the last name of the call, where nothing but the spelling is known.

What such calls mean exactly stands in `spawners`; the index, which knows no types, and whoever reads a call's arguments
goes by these names.  Each use takes from one table what it asks for.
"""

from __future__ import annotations

from enum import Flag, auto


class Does(Flag):
    """What a call of that name does with the function and the arguments that it is given."""

    ONE = auto()  # has the function called once
    EACH = auto()  # ... for each of many items
    UNPACKS = auto()  # ... each of which is a tuple of its arguments
    HANDS_ON = auto()  # its further arguments are the function's
    KEEPS = auto()  # a worker has its arguments when the call has come back
    THREAD = auto()  # ... which is a thread, whatever the pool
    WAITS = auto()  # comes back when all is done


_ONE, _KEEPS, _ON = Does.ONE, Does.ONE | Does.KEEPS, Does.HANDS_ON
_THREAD = _KEEPS | Does.THREAD

# docs.python.org/3/library/threading.html, multiprocessing.html, concurrent.futures.html, asyncio-eventloop.html,
# _thread.html; anyio's `to_thread.run_sync`, gevent's and eventlet's `spawn`, Qt's `QThread`
NAMES = {
    "Thread": _THREAD,
    "Timer": _THREAD,
    "Process": _KEEPS,
    "QThread": _ONE,
    "submit": _THREAD | _ON,
    "run_in_executor": _THREAD | _ON,
    "to_thread": _THREAD | _ON,
    "start_new_thread": _THREAD | _ON,
    "run_sync": _ONE | _ON,
    "apply": _ONE | _ON | Does.WAITS,
    "apply_async": _KEEPS,
    "call_soon_threadsafe": _ON,
    "spawn": _ON,
    "map": Does.EACH | Does.WAITS,
    "starmap": Does.EACH | Does.UNPACKS | Does.WAITS,
    "imap": Does.EACH,
    "imap_unordered": Does.EACH,
    "map_async": Does.EACH,
    "starmap_async": Does.EACH | Does.UNPACKS,
}


def that(does: Does) -> frozenset[str]:
    """The names of the calls that do so."""
    return frozenset(name for name, done in NAMES.items() if does in done)


ONE_EACH = that(Does.ONE)
MAPS = that(Does.EACH)
UNPACKING = that(Does.UNPACKS)
HANDING_ON = that(Does.HANDS_ON)
HANDING = that(Does.KEEPS)
THREADS = that(Does.THREAD)
WAITING = that(Does.WAITS)

# … and the method with which threads, timers and processes begin
STARTS = HANDING | MAPS | {"start"}
