"""Which argument of a call a parameter gets, and whether that is another one each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.index.facts import EACH, ONCE, CallFact, FunctionFact, Use


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


def per_item(function: FunctionFact, call: CallFact, head: str) -> bool:
    """Whether the variable is new in each round of the loop in which the call stands."""
    if not call.use & Use.LOOP:
        return False
    own = {target for target, path in function.binds if path[:1] != ":"}
    if any(param.name == head for param in function.params) and head not in own:
        return False
    if (ONCE + head, "") in function.binds:
        return (EACH + head, "") in function.binds
    made = [one for one in function.calls if head in one.goes]
    return not made or any(one.use & Use.LOOP for one in made)
