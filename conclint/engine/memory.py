"""When memory is searched for garbage: not during a run, which makes millions of small objects and few circles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Within the block reference counts alone free memory; processes forked in it inherit that.

    Python looks through all living objects again and again while their number grows: a seventh of a run's time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
