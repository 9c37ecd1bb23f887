"""The lines of checked files, read again for the few that have something to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from conclint.engine import Unit
from conclint.text import Unreadable, decode


class Sources:
    """`now` holds files as they read after fixes."""

    def __init__(self, units: Iterable[Unit], now: Mapping[str, bytes] | None = None) -> None:
        self._units = {unit.path: unit for unit in units}
        self._now = now or {}
        self._lines: dict[str, tuple[str, ...]] = {}

    def lines(self, path: str) -> tuple[str, ...]:
        """All lines of the file shown as `path`; none if it cannot be read."""
        if path not in self._lines:
            self._lines[path] = self._read(path)
        return self._lines[path]

    def _read(self, path: str) -> tuple[str, ...]:
        try:
            data = self._now.get(path)
            return decode(self._units[path].read() if data is None else data).lines
        except (KeyError, OSError, Unreadable):
            return ()
