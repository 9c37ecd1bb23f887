"""Blocks of a function that one call of it cannot reach, by what it hands over: `if wait:`, for `stop(wait=False)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from conclint.index.facts import FunctionFact
from conclint.program.arguments import is_bound, spawned
from conclint.program.calls import is_base_call
from conclint.program.matching import Given, matched

if TYPE_CHECKING:
    from conclint.program.contexts import Run
    from conclint.program.spawns import Root

Lines = tuple[int, int]

FALSE = frozenset({"=False", "=None", "=0"})

# What bars the block, by what it asks of the parameter; of a constant that nobody knows nothing is barred.
BARS: dict[str, Callable[[str], bool]] = {
    "$if": lambda said: said in FALSE,
    "$unless": lambda said: said not in FALSE,
    "$given": lambda said: said == "=None",
    "$none": lambda said: said != "=None",
}

# Arguments that are handed on are followed so far.
DEEPEST = 4


def barred(function: FunctionFact, run: Run) -> frozenset[Lines]:
    """The lines of the function that the run does not reach."""
    found = set()
    for target, _ in function.binds:
        how, *rest = target.split(".") if target[:1] == "$" else ("",)
        if how in BARS and len(rest) == 3:
            said = _constant(function, rest[0], run, DEEPEST)
            if said and BARS[how](said):
                found.add((int(rest[1]), int(rest[2])))
    return frozenset(found)


def _constant(function: FunctionFact, name: str, run: Run, depth: int) -> str:
    """The constant that a parameter is in the run, or nothing."""
    param = next((one for one in function.params if one.name == name), None)
    rebound = any(target == name for target, _ in function.binds)
    if param is None or param.kind[:1] == "*" or rebound:
        return ""
    site, above = run.site, run.via
    if site is None or above is None:
        path = dict(_handed_over(function, run.root)).get(name, "")
        return path if path[:1] == "=" else ""
    if is_base_call(site) or "*" in site.call.args or any(word == "**" for word, _ in site.call.keywords):
        return ""
    bound = is_bound(function, function.owner)
    given = dict(matched(function, Given(site.call.args, site.call.keywords), bound=bound))
    path = given.get(name, param.default)
    if path[:1] == "=":
        return path
    return _constant(site.function, path, above, depth - 1) if depth and name in given and path.isidentifier() else ""


def _handed_over(function: FunctionFact, root: Root) -> Iterator[tuple[str, str]]:
    """The arguments that a start names for what it runs."""
    named = ((word[7:], path) for word, path in root.site.call.keywords if word.startswith("kwargs."))
    yield from named
    yield from matched(function, spawned(root.site), bound=is_bound(function, root.owner))
