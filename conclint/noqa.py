"""Which findings a file's own comments hide, word for word as flake8 reads them.

A `# noqa` counts for its whole statement, a string over several lines included: flake8 searches all lines of the
logical line that the finding stands on, and heeds the first comment there.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from conclint.text import Text, Unreadable, decode

# As in flake8.defaults; a test compares what flake8 and we make of the same files.
INLINE: Final = re.compile(r"# noqa(?::[\s]?(?P<codes>([A-Z]+[0-9]+(?:[,\s]+)?)+))?", re.IGNORECASE)
WHOLE_FILE: Final = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)
SEPARATOR: Final = re.compile(r"[,\s]+")
SILENT: Final = frozenset({tokenize.ENDMARKER, tokenize.DEDENT})
ENDS: Final = frozenset({tokenize.NL, tokenize.NEWLINE})


class Suppressions:
    """The comments of one file that hide findings."""

    def __init__(self, data: bytes) -> None:
        text = _text(data) if b"noqa" in data.lower() else None
        self._lines = text.lines if text else ()
        self._whole = any(WHOLE_FILE.match(line) for line in self._lines)
        self._ranges = _logical_lines(self._lines) if text and INLINE.search(text.text) else {}

    def hides(self, code: str, line: int) -> bool:
        """Whether the file says that `code` is not to be reported on that line."""
        if self._whole:
            return True
        if not 1 <= line <= len(self._lines):
            return False
        first, last = self._ranges.get(line, (line, line))
        codes = _codes("\n".join(self._lines[first - 1 : last]))
        return codes is not None and code.startswith(codes)


def _text(data: bytes) -> Text | None:
    try:
        return decode(data)
    except Unreadable:
        return None


@lru_cache(maxsize=512)
def _codes(text: str) -> tuple[str, ...] | None:
    """The prefixes that a comment in the text hides (a bare one hides the empty prefix, so everything)."""
    match = INLINE.search(text)
    if match is None:
        return None
    codes: str | None = match["codes"]
    return ("",) if codes is None else tuple(code for code in SEPARATOR.split(codes) if code)


def _logical_lines(lines: tuple[str, ...]) -> dict[int, tuple[int, int]]:
    """The first and last line of the logical line that each line is part of; nothing for a file with broken tokens."""
    try:
        return {line: (first, last) for first, last in _ranges(lines) for line in range(first, last + 1)}
    except (tokenize.TokenError, SyntaxError):
        return {}


def _ranges(lines: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    rest = iter(lines)
    first, last = len(lines) + 2, -1
    for token in tokenize.generate_tokens(lambda: next((f"{line}\n" for line in rest), "")):
        if token.type in SILENT:
            continue
        first, last = min(first, token.start[0]), max(last, token.end[0])
        if token.type in ENDS:
            yield first, last
            first, last = len(lines) + 2, -1
