"""Functions that may change what their own loops walk over: those that a close look has to tell apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from conclint.index.facts import FunctionFact, Touch, Use, WalkFact

# Behind a container's path, among what a function binds: an item of it, or a view.
WALKED = re.compile(r"(?:\.(?:items|keys|values)\(\))?\[\*?\](?:\.\d+)*$|\.(?:items|keys|values)\(\)$")

# What takes items out of a container, and what may put some in.
REMOVING = frozenset({"pop", "popitem", "popleft", "remove", "discard", "clear"})
DISTURBING = REMOVING | {"add", "append", "appendleft"}


def walks(functions: Iterable[FunctionFact]) -> Iterator[WalkFact]:
    """For each function what it walks over and changes, itself or in each of the functions that it calls."""
    for function in functions:
        paths = [path for _, path in function.binds if path[-1:] in ("]", ")") or "]." in path]
        walked = {path[: found.start()] for path in paths if (found := WALKED.search(path)) is not None}
        if "range()[*]" in paths:
            walked.update(path for call in function.calls if call.func == "len" for path in call.args)
        if walked:
            yield from _of(function, sorted(path for path in walked if path and path[0] not in "$=*"))


def _of(function: FunctionFact, walked: Sequence[str]) -> Iterator[WalkFact]:
    disturbed = {path for path, bits, _ in function.touches if bits & Touch.DELETED and path in walked}
    helpers: dict[tuple[str, str], None] = {}
    for call in function.calls:
        if call.use & Use.LOOP:
            owner, _, name = call.func.rpartition(".")
            if name in DISTURBING and owner in walked:
                disturbed.add(owner)
            helpers.update({(path, call.func): None for path in walked if _hands_on(path, owner, name, call.args)})
    yield from (WalkFact(function.qualname, path, "") for path in sorted(disturbed))
    yield from (WalkFact(function.qualname, path, by) for path, by in helpers)


def _hands_on(path: str, owner: str, name: str, args: tuple[str, ...]) -> bool:
    """Whether who is called may have the container: as an argument, in the same object, or as a global."""
    if path in args:
        return not owner or "." not in owner
    if owner:
        return owner.isidentifier() and path.rpartition(".")[0] == owner
    return path.strip("_").isupper() and not name.isupper()
