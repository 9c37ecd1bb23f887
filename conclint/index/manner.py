"""How a function ends, as its body's outline tells: it catches everything, it never returns."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from conclint.index.facts import Kind
from conclint.knowledge.names import members

EVERYTHING = frozenset({"Exception", "BaseException"})

# Calls that hardly fail: they tell what happens, or make what nobody minds.
QUIET = members(
    """
    debug info warning warn error exception critical log print len str repr dict list set tuple time monotonic
    perf_counter getLogger current_thread get append getpid put
    """
)

# What a worker ends with, whatever came of its work.
CLOSING = members("close set notify notify_all release task_done")

LEAVING = (ast.Break, ast.Return, ast.Raise)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith)


def manner(body: Sequence[ast.stmt]) -> int:
    """The bits of `Kind` that the outline of a function's body shows."""
    found = 0
    caught = _caught(body)
    if caught:
        found |= Kind.CATCHES | (Kind.SWALLOWS if any(map(_silent, caught)) else 0)
    last = body[-1]
    if isinstance(last, ast.While) and isinstance(last.test, ast.Constant) and last.test.value and not _left(last.body):
        found |= Kind.ENDLESS
    return found


def _caught(body: Sequence[ast.stmt]) -> list[ast.ExceptHandler]:
    """The handlers that catch what its statements do in the end; what comes before that is preparation."""
    found: list[ast.ExceptHandler] = []
    for one in body:
        inner = _handlers(one)
        if found and not inner and not _quiet(one):
            return []
        found += inner
    return found


def _handlers(statement: ast.stmt) -> list[ast.ExceptHandler]:
    if isinstance(statement, ast.Try):
        handler = _catcher(statement)
        return [handler] if handler is not None else []
    if isinstance(statement, ast.With) and any(_suppresses(item.context_expr) for item in statement.items):
        return [ast.ExceptHandler(None, None, [ast.Pass()])]
    return _caught(statement.body) if isinstance(statement, BLOCKS) else []


def _suppresses(manager: ast.expr) -> bool:
    """`suppress(Exception)`: an `except Exception: pass` around the block."""
    if not isinstance(manager, ast.Call):
        return False
    name = manager.func.attr if isinstance(manager.func, ast.Attribute) else getattr(manager.func, "id", "")
    return name == "suppress" and any(isinstance(one, ast.Name) and one.id in EVERYTHING for one in manager.args)


def _catcher(node: ast.Try) -> ast.ExceptHandler | None:
    """The handler of a `try` that lets nothing pass."""
    for handler in node.handlers:
        names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        everything = any(one is None or (isinstance(one, ast.Name) and one.id in EVERYTHING) for one in names)
        if everything and not any(isinstance(one, ast.Raise) for one in _below(handler)):
            return handler
    return None


def _quiet(statement: ast.stmt) -> bool:
    """Whether it does nothing that is likely to fail."""
    return all(not isinstance(one, (ast.Call, ast.Raise)) or _tells(one) for one in _below(statement))


def _tells(node: ast.AST) -> bool:
    func = node.func if isinstance(node, ast.Call) else None
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    return name in QUIET or name in CLOSING


def _silent(handler: ast.ExceptHandler) -> bool:
    """Whether nobody ever learns of what it catches."""
    return all(_says_nothing(one) for one in handler.body)


def _says_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Return):
        return statement.value is None or (isinstance(statement.value, ast.Constant) and statement.value.value is None)
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, (ast.Pass, ast.Continue))


def _left(body: Sequence[ast.stmt]) -> bool:
    """Whether something in the loop's body leaves it."""
    return any(isinstance(one, LEAVING) for statement in body for one in _below(statement))


def _below(node: ast.AST) -> list[ast.AST]:
    """The node and what runs with it: functions inside are left out."""
    found = [node]
    for one in found:
        found += [inner for inner in ast.iter_child_nodes(one) if not isinstance(inner, FUNCTIONS)]
    return found
