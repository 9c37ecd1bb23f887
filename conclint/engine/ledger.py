"""What earlier runs have left, and what this run leaves to later ones: read at once, written when the run is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from conclint.cache import Entries, key
from conclint.knowledge import BUILTIN
from conclint.knowledge.kinds import Knowledge
from conclint.serial import Codec

T = TypeVar("T")


class Ledger:
    """Of a run without a cache the ledger knows nothing and keeps nothing; then names cost nothing either."""

    def __init__(self, cache: Entries | None) -> None:
        self._cache = cache
        self.fresh: dict[bytes, bytes] = {}  # what the cache does not know yet

    @property
    def kept(self) -> bool:
        return self._cache is not None

    def name(self, *parts: str | bytes) -> bytes:
        """What is computed from these parts is known by that name."""
        return key(*parts) if self._cache else b""

    def read(self, names: Iterable[bytes]) -> Mapping[bytes, bytes]:
        return self._cache.read(names) if self._cache else {}

    def recall(self, name: bytes, kind: type[T]) -> T | None:
        """What was kept under the name, if it is known and sound."""
        data = self.read([name]).get(name)
        try:
            return None if data is None else Codec(kind).loads(data)
        except ValueError:
            return None  # damaged: computed again

    def keep(self, name: bytes, data: bytes) -> None:
        if self._cache:
            self.fresh[name] = data


def told_of(knowledge: Knowledge) -> bytes:
    """A project's own knowledge, as part of a name."""
    return b"" if knowledge is BUILTIN else Codec(Knowledge).dumps(knowledge)
