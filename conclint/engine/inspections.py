"""What the second map has found, the remembered part of it unfolded no further than somebody asks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from conclint.model import Failure, Finding
from conclint.program.observations import Inspection, Observations
from conclint.serial import Codec

BLIND = Observations()


class Seen:
    """One file's inspection: made now, or remembered; then its observations are bytes until they are needed.

    Raises ValueError for damaged findings; for the observations behind them the cache's checksum answers.
    """

    def __init__(self, made: Inspection | None, data: bytes = b"") -> None:
        first, _, self._observed = data.partition(b"\n")
        self._made = made or Codec(Inspection).loads(first)
        self._new = made is not None

    @property
    def findings(self) -> tuple[tuple[str, Finding], ...]:
        return self._made.findings

    @property
    def failures(self) -> tuple[Failure, ...]:
        return self._made.failures

    @cached_property
    def observations(self) -> Observations:
        return self._made.observations if self._new else Codec(Observations).loads(self._observed)

    @cached_property
    def data(self) -> bytes:
        """What to remember it by: the findings, and on a line of their own the observations."""
        return Codec(Inspection).dumps(replace(self._made, observations=BLIND)) + b"\n" + self.observed

    @cached_property
    def observed(self) -> bytes:
        """The observations as bytes, the same for the same observations."""
        return Codec(Observations).dumps(self.observations) if self._new else self._observed

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.observed).digest()


class Observed(Mapping[str, Observations]):
    """The observations of all files."""

    def __init__(self, seen: Mapping[str, Seen]) -> None:
        self._seen = seen

    def __getitem__(self, path: str) -> Observations:
        return self._seen[path].observations

    def __iter__(self) -> Iterator[str]:
        return iter(self._seen)

    def __len__(self) -> int:
        return len(self._seen)
