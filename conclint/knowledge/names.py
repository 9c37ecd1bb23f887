"""Short spellings for long tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

Value = TypeVar("Value")


def below(owner: str, names: str) -> list[str]:
    """Each of the space-separated `names` as a member of `owner`."""
    return [f"{owner}.{name}" for name in names.split()]


def members(names: str) -> frozenset[str]:
    """The space-separated `names`."""
    return frozenset(names.split())


def each(names: Iterable[str], value: Value) -> dict[str, Value]:
    """The same `value` for all `names`."""
    return dict.fromkeys(names, value)
