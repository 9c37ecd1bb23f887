"""Which argument of a call a parameter gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import FunctionFact


class Given(NamedTuple):
    """The arguments of one call as paths, by position and by keyword."""

    positional: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]


def matched(function: FunctionFact, given: Given, *, bound: bool) -> Iterator[tuple[str, str]]:
    """The parameters by name, each with what it gets; `bound`: the first one is the object's own."""
    plain = [param for param in function.params if not param.kind][bound:]
    for param, path in zip(plain, given.positional, strict=False):
        if path == "*":
            break
        yield param.name, path
    names = {param.name for param in function.params if not param.kind.startswith("*")}
    yield from ((word, path) for word, path in given.keywords if word in names)
