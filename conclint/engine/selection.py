"""Which codes run, and which are reported where."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from conclint.globs import Globs
from conclint.settings import Config


class Selection:
    """What a configuration selects.  As in flake8 the longest prefix that fits a code decides; at a tie, `ignore`."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._chosen = (*config.select, *config.extend_select)

    def runs(self, code: str, *, default: bool) -> bool:
        """Whether the code is selected at all; `default` says whether it is without being asked for."""
        return self._wants(code, default, self._config.ignore)

    def asks_for(self, code: str) -> bool:
        """Whether the configuration names the code, or a prefix of it, to be selected."""
        return _longest(code, self._chosen) >= 0

    def reports(self, code: str, path: str) -> bool:
        """Whether a code that runs is reported in the file at `path`."""
        if not self._per_file:
            return True
        extra = [codes for globs, codes in self._per_file if globs.match(self._relative(path))]
        return not extra or self._wants(code, True, (*self._config.ignore, *itertools.chain(*extra)))

    def _wants(self, code: str, default: bool, ignored: Iterable[str]) -> bool:
        wanted = _longest(code, self._chosen)
        unwanted = _longest(code, ignored)
        if wanted < 0 and (self._config.select or not default):
            return False
        return unwanted < 0 or wanted > unwanted

    @cached_property
    def _per_file(self) -> tuple[tuple[Globs, tuple[str, ...]], ...]:
        return tuple((Globs((pattern,)), codes) for pattern, codes in self._config.per_file_ignores)

    @cached_property
    def _root(self) -> str:
        return os.path.realpath(self._config.project or Path())

    def _relative(self, path: str) -> str:
        try:
            return Path(os.path.relpath(os.path.realpath(path), self._root)).as_posix()
        except ValueError:  # another drive
            return path


def _longest(code: str, prefixes: Iterable[str]) -> int:
    """The length of the longest prefix that fits; -1 if none does."""
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)
