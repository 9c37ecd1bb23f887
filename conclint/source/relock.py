"""The fix that makes a plain lock one that its holder may take again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Fix, Span
from conclint.program.values import Store

if TYPE_CHECKING:
    from conclint.source.source import Source

PLAIN = ("threading.Lock", "multiprocessing.Lock")


def reentrant(source: Source, span: Span) -> Fix | None:
    """`RLock()` where the lock is made that is held at the call; None where that is elsewhere, or spelled otherwise."""
    call = next((one for one in source.all(cst.Call) if source.span(one) == span), None)
    makers = list(_makers(source, set(source.held(call)))) if call is not None else []
    if len(makers) != 1 or not isinstance(makers[0].func, cst.Attribute):
        return None  # a bare `Lock` needs another import; leave that to the reader
    return Fix("make it an RLock", (source.replace(makers[0].func.attr, "RLock"),))


def _makers(source: Source, held: set[str]) -> Iterator[cst.Call]:
    for assign in source.all(cst.Assign):
        value = assign.value
        if isinstance(value, cst.Call) and source.calls(value, *PLAIN) and not value.args:
            stores = (source.named(target.target).store for target in assign.targets)
            if any(store is not None and _id(store) in held for store in stores):
                yield value


def _id(store: Store) -> str:
    return f"{store.sort}|{store.owner}|{store.path}"
