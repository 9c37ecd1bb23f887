"""One source line with the span underlined, as wide as a terminal shows it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from conclint.report import printable

if TYPE_CHECKING:
    from conclint.model import Span

WIDTH = 110  # columns of code that are shown; of a longer line the part around the span
BEFORE = 40  # columns kept before the span when a line is cut
TAB = 4
CUT = "…"


def snippet(line: str, span: Span) -> tuple[str, str]:
    """The line as shown, and the row of carets below it."""
    start = min(max(span.column - 1, 0), len(line))
    end = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line.rstrip())
    first, last = _window(line, start)
    head = (CUT if first else "") + _shown(line[first:start])
    body, tail = _shown(line[start : min(end, last)]), _shown(line[max(start, min(end, last)) : last])
    code = head + body + tail + (CUT if last < len(line) else "")
    return code.rstrip(), " " * _width(head) + "^" * max(_width(body), 1)


def _window(line: str, start: int) -> tuple[int, int]:
    """Which characters to show: all of a line that fits, else some before `start` and what fits behind it."""
    if len(line) <= WIDTH:
        return 0, len(line)
    first = 0 if start <= BEFORE else start - BEFORE
    return first, min(first + WIDTH, len(line))


def _shown(text: str) -> str:
    return printable(text.replace("\t", " " * TAB))


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
