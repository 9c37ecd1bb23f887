"""Fixes for output that mixes: the module's logger where it has one, else one lock."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.model import Edit, Fix, Span
from conclint.source.edits import wrapped
from conclint.source.imports import imported, top_level
from conclint.source.source import Source

LOGGERS = ("logger", "log", "_logger", "_log", "LOGGER", "LOG")
LOCK = "print_lock"


def log_or_lock(source: Source, span: Span) -> Fix | None:
    """What stands at `span` as a log record, or under the module's lock for output."""
    call = next((one for one in source.all(cst.Call) if source.span(one) == span), None)
    statement = source.parent(call) if call is not None else None
    if call is None or not isinstance(statement, cst.Expr):
        return None
    return _logged(source, call) or _locked(source, statement)


def _logged(source: Source, call: cst.Call) -> Fix | None:
    logger = _logger(source)
    if not logger or not source.calls(call, "builtins.print") or not call.args:
        return None
    if any(arg.keyword is not None or arg.star for arg in call.args):
        return None  # `end=`, `sep=`, `file=`: a record has none
    text = f"{logger}.info({_record(source, call.args)})"
    return Fix(f"say it through `{logger}`", (Edit(source.span(call), text),))


def _logger(source: Source) -> str:
    """The module's own logger."""
    for line in top_level(source.text.lines):
        words = line.words
        if len(words) > 2 and words[0] in LOGGERS and words[1] == "=" and "getLogger" in words[2:5]:
            return words[0]
    return ""


def _record(source: Source, args: Sequence[cst.Arg]) -> str:
    """The arguments of `print` as a record's format and arguments."""
    if len(args) == 1 and isinstance(args[0].value, (cst.SimpleString, cst.FormattedString)):
        return source.code(args[0].value)
    texts = [source.code(arg.value) for arg in args]
    first = args[0].value
    if isinstance(first, cst.SimpleString) and not first.prefix and len(first.quote) == 1 and "%" not in first.value:
        return ", ".join([f"{first.value[:-1]}{' %s' * (len(texts) - 1)}{first.quote}", *texts[1:]])
    return ", ".join(['"' + " ".join(["%s"] * len(texts)) + '"', *texts])


def _locked(source: Source, statement: cst.Expr) -> Fix | None:
    line = source.statement(statement)
    around = source.function(statement)
    if around is None or around.runs_in(Context.PROCESS) or not isinstance(line, cst.BaseStatement):
        return None  # a thread's lock keeps no process out
    edit = wrapped(source, [line], f"with {LOCK}:")
    made = _made(source)
    return Fix(f"hold `{LOCK}` around it", (*made, edit)) if edit is not None and made is not None else None


def _made(source: Source) -> tuple[Edit, ...] | None:
    """The edits that make the module's lock for output; none if it has one, None where they cannot be made."""
    lines = source.logical_lines
    if any(line.words[:2] == (LOCK, "=") for line in lines):
        return ()
    threading = imported(source, "threading")
    head = [line for number, line in enumerate(lines) if line.imports or (number == 0 and line.words == ('"',))]
    if threading is None or not any(line.imports for line in head):
        return None  # nowhere is surely before its use
    behind = head[-1].last + 1
    return (*threading.edits, Edit(Span(behind, 1, behind, 1), f"\n{LOCK} = {threading.spelled}.Lock()\n"))
