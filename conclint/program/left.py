"""When a thread, process or pool counts as left running: started, and nobody ends it, waits for it or could."""

from __future__ import annotations

from conclint.knowledge.handles import WATCHED
from conclint.program.scene import FateScene

# Words of the methods with which a class ends what its objects began.
ENDING_WORDS = frozenset(
    {"stop", "join", "wait", "close", "shutdown", "terminate", "cancel", "kill", "exit", "aclose"}
    | {"disconnect", "halt", "quit"}
)


def left_running(fate: FateScene) -> bool:
    """Whether a thread or process is started, and surely nobody waits for it, stops it, or has it and could."""
    return fate.begun and not fate.told and not fate.escapes and not ended(fate)


def left_open(fate: FateScene) -> bool:
    """Whether a pool has an owner that could end it, and surely nobody does.

    One in a global, or in an object that has no end of its own, is kept for the life of the process.
    """
    used = bool(fate.methods or fate.stores)
    return used and fate.mortal and not ended(fate) and not set(fate.escapes) - {"public"}


def ended(fate: FateScene) -> bool:
    """Whether somebody ends the handle or watches it."""
    return any(method in WATCHED or is_end(method) for method in fate.methods)


def is_end(method: str) -> bool:
    """Whether a method of the program's own is named like an end: `stop_polling`, `__exit__`."""
    return bool(ENDING_WORDS & {*method.strip("_").lower().split("_")})


def kept(fate: FateScene) -> str:
    """Where the handle is kept all the same, as part of a sentence."""
    for store in fate.stores:
        if store.sort == "attribute":
            return f" (`self.{store.path.replace('[]', '[…]')}` is not looked at again)"
    return ""
