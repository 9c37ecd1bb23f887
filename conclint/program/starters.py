"""What each call of the program starts somewhere else: itself, or for whoever gave it what to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from conclint.index.facts import CallFact
from conclint.program.calls import Site
from conclint.program.spawns import Root


class Starters:
    """The roots of the program by call."""

    def __init__(self, roots: Iterable[Root]) -> None:
        self._at: dict[str, dict[CallFact, list[Root]]] = {}
        self._for: dict[tuple[str, CallFact], list[Root]] = {}
        for root in roots:
            self._at.setdefault(root.site.file.path, {}).setdefault(root.site.call, []).append(root)
            if root.origin is not None:
                self._for.setdefault((root.origin.file.path, root.origin.call), []).append(root)

    def in_file(self, path: str) -> Mapping[CallFact, list[Root]]:
        """What each call of a file starts."""
        return self._at.get(path, {})

    def given(self, site: Site) -> tuple[str, ...]:
        """The functions that the call runs because callers of its helper give it them."""
        found = self._for.get((site.file.path, site.call), ())
        return tuple(dict.fromkeys(root.target for root in found))
