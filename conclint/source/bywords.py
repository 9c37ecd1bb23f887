"""What authors say in comments and docstrings: a lock is held here, or none is needed; a thread is to be forgotten."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from conclint.source.source import Source

# Anything but the end of a sentence: `self._lock` has no such end.
WITHIN = r"(?:[^.]|\.\S)"

# "append is atomic", "thread-safe", "no lock needed": said of a line.
UNNEEDED = re.compile(
    r"thread[- ]?safe|\batomic(?:ally)?\b|\bGIL\b|\block[- ]?free\b"
    rf"|\b(?:no|without|needs? no|don't need|not need)\b{WITHIN}{{0,20}}\b\w*lock(?:ing|ed)?\b"
    rf"|\b(?:hold|holds|holding|held|protected|guarded)\b{WITHIN}{{0,30}}\b\w*lock\b"
    rf"|\block\b{WITHIN}{{0,20}}\b(?:held|acquired|taken)\b",
    re.IGNORECASE,
)

# "Thread safe.": said of a function.
SAFE = re.compile(r"\bthread[- ]?safe\b", re.IGNORECASE)

# "Start a thread and forget about it": said of a line.
FORGOTTEN = re.compile(
    r"\bforget\b|\bdetached?\b|\b(?:no|without|needn't|not|don't) (?:need to )?(?:wait|join)", re.IGNORECASE
)

# "Must be called with the lock held", "caller holds self._lock": said of a function.
HELD = re.compile(
    rf"\b(?:must|should|callers?|called|assum\w+|requir\w+|expect\w+|only|while)\b{WITHIN}{{0,60}}"
    rf"\b(?:hold\w*|held|own\w*|with|under|inside)\b{WITHIN}{{0,40}}lock"
    rf"|\bcallers?\b{WITHIN}{{0,20}}\b(?:hold|own)s?\b|\bhold(?:ing)?\b{WITHIN}{{0,40}}\block\b"
    rf"|lock\b{WITHIN}{{0,30}}\b(?:(?:is|be|already)\s+)+(?:held|acquired|taken)|\b(?:not|isn't) thread[- ]?safe",
    re.IGNORECASE,
)


def needs_no_lock(source: Source, node: cst.CSTNode) -> bool:
    """Whether a comment on the line, or right above it, says that no lock is needed, or that one is held."""
    return UNNEEDED.search(_said(source, node)) is not None


def promises_safety(function: cst.FunctionDef) -> bool:
    """Whether its docstring says that threads may call it: its author has thought of them."""
    said = " ".join((function.get_docstring(clean=False) or "").split())
    return SAFE.search(said) is not None and HELD.search(said) is None


def is_forgotten(source: Source, node: cst.CSTNode) -> bool:
    """Whether a comment there says that nobody is to wait for what is started."""
    return FORGOTTEN.search(_said(source, node)) is not None


def _said(source: Source, node: cst.CSTNode) -> str:
    """The comments on the node's line, and right above it."""
    lines = source.text.lines
    number = source.line(node)
    said = [lines[number - 1].partition("#")[2]]
    while number > 1 and lines[number - 2].lstrip().startswith("#"):
        number -= 1
        said.append(lines[number - 1].partition("#")[2])
    return " ".join(reversed(said))


def called_with_lock(function: cst.FunctionDef) -> bool:
    """Whether the docstring, or the comments at its beginning, ask for a lock that the caller holds."""
    said = [function.get_docstring(clean=False) or ""]
    for lines in (function.leading_lines, *_first_lines(function)):
        said += [line.comment.value.lstrip("# ") for line in lines if line.comment is not None]
    return HELD.search(" ".join(" ".join(said).split())) is not None


def _first_lines(function: cst.FunctionDef) -> list[list[cst.EmptyLine]]:
    """Comments above the first two statements of the body."""
    block = function.body
    if not isinstance(block, cst.IndentedBlock):
        return []
    first = (one for one in block.body[:2] if isinstance(one, (cst.SimpleStatementLine, cst.BaseCompoundStatement)))
    return [list(one.leading_lines) for one in first]
