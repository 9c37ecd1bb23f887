"""Where a file writes to the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.knowledge.handlers import ENDING
from conclint.knowledge.terminals import FUNCTIONS, PRINTING, TERMINALS, TRACEBACKS
from conclint.program.observations import Output
from conclint.source.literals import constant_text
from conclint.source.locks import Locks
from conclint.source.order import Order
from conclint.source.paths import argument, path_of
from conclint.source.questions import last_of
from conclint.source.source import Source

# Texts that only move the cursor, or clear its line.
ESCAPES = ('"\\033[', "'\\033[", '"\\x1b[', "'\\x1b[", '"\\r"', "'\\r'")


def outputs(source: Source, locks: Locks, order: Order) -> Iterator[Output]:
    """Every call in the parsed regions that writes to the terminal, whoever runs it."""
    for call in source.all(cst.Call):
        stream = _stream(source, call) if source.calls(call, *PRINTING) and not _is_sign(source, call) else ""
        if stream:
            yield Output(
                order.point(call), source.place(call), source.code(call.func), locks.held(call), stream,
                _is_whole(source, call) or _is_last_word(source, call), _is_caught(source, call), _again(source, call),
            )  # fmt: skip


def _stream(source: Source, call: cst.Call) -> str:
    """The terminal's stream that it goes to, "stdout" or "stderr"; "" for any other one."""
    if not source.calls(call, *FUNCTIONS, *TRACEBACKS):
        return "stderr" if source.calls(call, "sys.stderr.write") else "stdout"
    given = source.argument(call, "file") or source.argument(call, "stream")
    usual = {"sys.stderr" if source.calls(call, *TRACEBACKS) else "sys.stdout"}
    names = TERMINALS.intersection(source.names(given.value)) if given is not None else usual
    return next(("stderr" if "err" in name else "stdout" for name in sorted(names)), "")


def _is_sign(source: Source, call: cst.Call) -> bool:
    """Whether it prints a blank or a sign, without the end of a line: signs of life, wherever they stand."""
    if not source.calls(call, *FUNCTIONS):
        return bool(call.args) and source.code(call.args[0].value).startswith(ESCAPES)
    if argument(call, "end") is None or not source.calls(call, "builtins.print"):
        return False
    return all(len(constant_text(arg.value)) == 1 for arg in call.args if arg.keyword is None)


def _is_whole(source: Source, call: cst.Call) -> bool:
    """Whether it writes a text that ends its line in one step, or passes on as it is what somebody else wrote.

    Of a traceback each line is written so.
    """
    if source.calls(call, *TRACEBACKS):
        return True
    if source.calls(call, *FUNCTIONS) or len(call.args) != 1:
        return False
    text = call.args[0].value
    if _is_decoded(text):
        return True
    if isinstance(text, cst.Call) and isinstance(text.func, cst.Attribute) and text.func.attr.value == "format":
        text = text.func.value
    elif isinstance(text, cst.BinaryOperation):
        text = text.left if isinstance(text.operator, cst.Modulo) else text.right
    written = source.code(text)
    return isinstance(text, (cst.SimpleString, cst.FormattedString)) and written.rstrip("\"'").endswith("\\n")


def _is_decoded(text: cst.BaseExpression) -> bool:
    """`data.decode("utf-8")`"""
    return isinstance(text, cst.Call) and isinstance(text.func, cst.Attribute) and text.func.attr.value == "decode"


def _is_caught(source: Source, call: cst.Call) -> bool:
    """Whether it says what went wrong, and says it once: not in a loop, or when somebody interrupts."""
    around = source.function_node(call)
    handler = source.nearest(call, cst.ExceptHandler)
    if handler is None or source.function_node(handler) is not around:
        return False
    return not _again(source, call) or (handler.type is not None and "KeyboardInterrupt" in source.code(handler.type))


def _again(source: Source, call: cst.Call) -> bool:
    """Whether it is in a loop, and the loop goes on after it."""
    return source.loop(call) is not None and not _is_last(source, call)


def _is_last(source: Source, call: cst.Call) -> bool:
    """Whether its block leaves the loop, or the function."""
    block = source.parent(source.statement(call))
    return isinstance(block, cst.IndentedBlock) and isinstance(last_of(block), (cst.Break, cst.Return, cst.Raise))


def _is_last_word(source: Source, call: cst.Call) -> bool:
    """Whether the program ends with it, or an error ends the loop in which the worker lives, or somebody interrupts."""
    ends_loop = source.loop(call) is not None and _is_caught(source, call) and _is_last(source, call)
    return ends_loop or _exits(source, call) or _is_interrupted(source, call)


def _is_interrupted(source: Source, call: cst.Call) -> bool:
    """Whether it is said to a user who presses Ctrl-C, and to nobody else."""
    handler = source.nearest(call, cst.ExceptHandler, cst.FunctionDef)
    caught = handler.type if isinstance(handler, cst.ExceptHandler) else None
    if isinstance(caught, cst.Tuple):
        return {path_of(one.value) for one in caught.elements} == {"KeyboardInterrupt", "SystemExit"}
    return path_of(caught) == "KeyboardInterrupt"


def _exits(source: Source, call: cst.Call) -> bool:
    """Whether a block around it ends with `sys.exit`."""
    for outer in source.ancestors(call):
        if isinstance(outer, cst.FunctionDef):
            return False
        last = last_of(outer) if isinstance(outer, cst.IndentedBlock) else None
        if isinstance(last, cst.Expr) and isinstance(last.value, cst.Call) and source.calls(last.value, *ENDING):
            return True
    return False
