"""Colours of a terminal, or none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paint:
    """Wraps text in what makes it stand out; leaves it alone where nobody wants colour."""

    wanted: bool

    def bold(self, text: str) -> str:
        return self._in("1", text)

    def faint(self, text: str) -> str:
        return self._in("36", text)

    def red(self, text: str) -> str:
        return self._in("1;31", text)

    def blue(self, text: str) -> str:
        return self._in("1;34", text)

    def green(self, text: str) -> str:
        return self._in("1;32", text)

    def _in(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.wanted and text else text
