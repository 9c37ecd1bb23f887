"""A line on the terminal that says how far a long run is."""

from __future__ import annotations

import sys
import time
from types import TracebackType

PATIENCE = 2.0  # seconds in which nobody wonders
PAUSE = 0.1  # between two changes of the line
CLEAR = "\r\x1b[K"


class Progress:
    """Called with what is done; silent in short runs and where standard error is not a terminal."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PATIENCE if sys.stderr.isatty() else float("inf")
        self._shown = False

    def __call__(self, phase: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next, self._shown = now + PAUSE, True
        sys.stderr.write(f"{CLEAR}conclint: {phase}: {done} of {total}")
        sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()
