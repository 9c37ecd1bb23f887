"""When a thread, process or pool counts as left running: started, and nobody ends it, waits for it or could."""

from __future__ import annotations

from conclint.knowledge.handles import WATCHED
from conclint.program.scene import FateScene

STARTS = ("start",)

# What using a pool looks like from outside.
POOL_WORK = (
    "submit", "map", "apply", "apply_async", "map_async", "imap", "imap_unordered", "starmap", "starmap_async",
)  # fmt: skip


def left_running(fate: FateScene) -> bool:
    """Whether a thread or process is started, and surely nobody waits for it, stops it, or has it and could."""
    return fate.does(*STARTS) and not fate.told and not ended(fate)


def ended(fate: FateScene) -> bool:
    """Whether somebody ends the handle or watches it, or it goes where nobody can follow."""
    return bool(fate.escapes) or any(method in WATCHED or _like_an_end(method) for method in fate.methods)


def kept(fate: FateScene) -> str:
    """Where the handle is kept all the same, as part of a sentence."""
    for store in fate.stores:
        if store.sort == "attribute":
            return f" (it is only kept in `self.{store.path}`)"
    return ""


def _like_an_end(method: str) -> bool:
    """A method of the program's own class: `stop_polling`, `wait_until_done`."""
    words = method.strip("_").lower().split("_")
    return bool({"stop", "join", "wait", "close", "shutdown", "terminate", "cancel", "kill"} & {*words})
