"""Containers that a library walks over as a whole: `json.dump(jobs, file)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.containers import SORTING, WALKING
from conclint.program.observations import Act
from conclint.source.acts import Done, State
from conclint.source.paths import argument

if TYPE_CHECKING:
    from conclint.source.source import Source

# What may stand between the container and the call: `json.dump({"jobs": jobs}, file)`.
DISPLAYS = (cst.DictElement, cst.Dict, cst.Element, cst.List, cst.Tuple)


def walked_whole(source: Source, node: State) -> Done | None:
    """The read as a walk, if the container is given to a call that goes through all of it."""
    outer = source.parent(node)
    while isinstance(outer, DISPLAYS):
        outer = source.parent(outer)
    call = source.parent(outer) if isinstance(outer, cst.Arg) else None
    if not isinstance(call, cst.Call) or call.args[0] is not outer:
        return None
    for name in source.names(call.func):
        if name in WALKING and _goes_through(call, WALKING[name]):
            return Done(Act.ITERATE, name)
    return None


def _goes_through(call: cst.Call, needed: str) -> bool:
    return argument(call, SORTING) is None and (not needed or argument(call, needed) is not None)
