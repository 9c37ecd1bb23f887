"""A loop that starts many threads or processes under one name, of which only the last one is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.handles import WATCHED
from conclint.model import Note
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.program.scene import FateScene
    from conclint.source.source import Source

LEAVES = (cst.Break, cst.Return, cst.Raise)


def last_one_only(source: Source, call: cst.Call, fate: FateScene) -> Note | None:
    """Where the last one is waited for, when the others of its loop surely are not: the next one takes their name."""
    loop = source.loop(call)
    if not isinstance(loop, cst.For) or not fate.begun or fate.escapes or fate.daemon is not False:
        return None
    if [(store.sort, store.path.isidentifier()) for store in fate.stores] != [("local", True)]:
        return None
    if any(isinstance(part, LEAVES) for part in below(loop.body)):
        return None  # perhaps it ends with the first one that has begun
    end = source.span(loop).end_line
    waits = [(path, line) for method, path, line in fate.uses if method in WATCHED]
    if not waits or not fate.joins or any(path != source.path or line <= end for path, line in waits):
        return None
    if _is_taken_again(source, call, fate.stores[0].path, range(end, min(line for _, line in waits) + 1)):
        return None  # that is the end of another one
    return Note(fate.joins[0], "only the last one is waited for here")


def _is_taken_again(source: Source, call: cst.Call, name: str, lines: range) -> bool:
    """Whether the name means something else by then."""
    function = source.function_node(call)
    assigns = source.inside(function.body, cst.Assign) if function is not None else source.all(cst.Assign)
    return any(
        isinstance(one.target, cst.Name) and one.target.value == name and source.line(assign) in lines
        for assign in assigns
        for one in assign.targets
    )
