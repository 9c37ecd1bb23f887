"""How often memory is searched for garbage: rarely, since a run makes millions of small objects and hardly a cycle."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Python's own first threshold is 700: linking a large program spent half its time on looking for garbage in vain.
THRESHOLDS = (200_000, 20, 100)


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Within the block garbage is collected rarely; processes forked in it inherit that."""
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
