"""How many findings each code has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conclint.model import Result


def statistics(result: Result) -> Iterator[str]:
    """Most frequent first."""
    counts = Counter((diagnostic.code, diagnostic.name) for diagnostic in result.diagnostics)
    width = len(str(max(counts.values(), default=0)))
    for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"{count:>{width}} {code} {name}"
