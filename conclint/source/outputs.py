"""Where a file writes to the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.knowledge.terminals import PRINTING, TERMINALS
from conclint.program.observations import Output
from conclint.source.locks import Locks
from conclint.source.order import Order
from conclint.source.source import Source


def outputs(source: Source, locks: Locks, order: Order) -> Iterator[Output]:
    """Every call in the parsed regions that writes to the terminal, whoever runs it."""
    for call in source.all(cst.Call):
        if source.calls(call, *PRINTING) and _to_terminal(source, call):
            yield Output(order.point(call), source.place(call), source.code(call.func), locks.held(call))


def _to_terminal(source: Source, call: cst.Call) -> bool:
    """Whether no stream is given, or the terminal's."""
    stream = source.argument(call, "file") or source.argument(call, "stream")
    return stream is None or any(name in TERMINALS for name in source.names(stream.value))
