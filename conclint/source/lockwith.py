"""The edit that turns `lock.acquire()` … `lock.release()` into `with lock:`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Edit, Fix, Safety, Span
from conclint.source.edits import indent_unit, lines_of, shifted
from conclint.source.lockuse import LockCall, body_nodes, lock_call, rebinds
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)


def hold_with(source: Source, taken: LockCall) -> Fix | None:
    """`with` from the `acquire` to the `release` in the same block; releases before ways out between them go."""
    line = source.statement(taken.call)
    block = source.parent(line)
    if not isinstance(block, (cst.IndentedBlock, cst.Module)) or not _alone(line) or not taken.standard:
        return None
    following = _behind(block.body, line)
    end = next((one for one in following if _is_release(source, one, taken)), None)
    between = following[: following.index(end)] if end is not None else []
    if end is None or not between or not _alone(end) or _comment(end):
        return None
    dropped = _dropped(source, between, taken)
    if dropped is None or any(rebinds(one, taken.lock) for one in between):
        return None
    word = "async with" if isinstance(source.parent(taken.call), cst.Await) else "with"
    edit = _edit(source, line, between, end, f"{word} {taken.text}:", dropped)
    plain = not dropped and not any(isinstance(node, (*LEAVING, cst.Yield)) for one in between for node in below(one))
    return Fix(f"`{word} {taken.text}`", (edit,), Safety.SAFE if plain and not taken.call.args else Safety.UNSAFE)


def _behind(block: Sequence[cst.BaseStatement], line: cst.CSTNode) -> list[cst.BaseStatement]:
    """The statements of a block after one of them."""
    place = next(number for number, one in enumerate(block) if one is line)
    return list(block[place + 1 :])


def _alone(line: cst.CSTNode) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1


def _comment(line: cst.CSTNode) -> str:
    """The comment at the end of a line."""
    comment = line.trailing_whitespace.comment if isinstance(line, cst.SimpleStatementLine) else None
    return comment.value if comment is not None else ""


def _is_release(source: Source, line: cst.CSTNode, taken: LockCall) -> bool:
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    found = lock_call(source, small.value) if isinstance(small, cst.Expr) else None
    return found is not None and found.method == "release" and found.text == taken.text


def _dropped(source: Source, between: Sequence[cst.CSTNode], taken: LockCall) -> list[cst.CSTNode] | None:
    """The lines inside that release the lock and leave; None where the lock is used in other ways."""
    found: list[cst.CSTNode] = []
    for node in (node for one in between for node in body_nodes(one)):
        use = lock_call(source, node)
        if use is None or use.text != taken.text or use.method not in ("acquire", "release"):
            continue
        line = source.statement(node)
        if not _is_release(source, line, taken) or not _leaves(source, line) or not _alone(line) or _comment(line):
            return None
        found.append(line)
    return found


def _leaves(source: Source, line: cst.CSTNode) -> bool:
    """Whether the next statement leaves the block, so that the end of `with` releases at the same moment."""
    block = source.parent(line)
    behind = _behind(block.body, line) if isinstance(block, cst.IndentedBlock) else []
    follower = behind[0] if behind else None
    first = follower.body[0] if isinstance(follower, cst.SimpleStatementLine) else None
    return isinstance(first, LEAVING) and not any(isinstance(node, (cst.Call, cst.Await)) for node in below(first))


def _edit(
    source: Source,
    line: cst.CSTNode,
    between: Sequence[cst.CSTNode],
    end: cst.CSTNode,
    header: str,
    dropped: Sequence[cst.CSTNode],
) -> Edit:
    first, last = lines_of(source, line, line), lines_of(source, end, end)
    unit = indent_unit(source, line)
    gone = {number for one in dropped for number in range(source.line(one), source.span(one).end_line + 1)}
    start = lines_of(source, between[0], between[0]).line
    numbered: Iterator[tuple[int, str]] = enumerate(
        [
            *(unit + text if text.strip() else text for text in source.text.lines[first.end_line : start - 1]),
            *shifted(source, between[0], between[-1], unit).split("\n"),
        ],
        start=first.end_line + 1,
    )
    body = [text for number, text in numbered if number not in gone]
    after = source.text.lines[lines_of(source, between[-1], between[-1]).end_line : last.line - 1]
    comments = [unit + text for text in after if text.strip()]
    comment = f"  {_comment(line)}" if _comment(line) else ""
    lines = [f"{source.indent(line)}{header}{comment}", *body, *comments]
    return Edit(Span(first.line, 1, last.end_line, last.end_column), "\n".join(lines))
