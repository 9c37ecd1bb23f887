"""Questions whose answer another worker can make wrong before it is used: is the file there, has the queue an item?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.knowledge.asking import (
    CLEARING,
    EMPTINESS,
    EXISTENCE,
    FORGIVING,
    MAKING,
    OPENING,
    QUEUES,
    REMOVING,
    TAKING,
    UNIQUE,
)
from conclint.knowledge.kinds import Setting
from conclint.program.observations import Change
from conclint.source.literals import target_names
from conclint.source.locks import Locks
from conclint.source.order import Order
from conclint.source.paths import argument, path_of
from conclint.source.questions import behind, leaves, names_in
from conclint.source.source import Source
from conclint.source.tree import below

# Names are followed to what they were made of, so far.
DEEPEST = 4

QUOTES = ('"', "'")

# By name, what a function assigns to it, or enters as it.
Bindings = dict[str, list[cst.BaseExpression]]


class Asked(NamedTuple):
    """A test, the call that acts on its answer, and what both are about, as text."""

    test: cst.BaseExpression
    act: cst.Call
    text: str


def questions(source: Source, locks: Locks, order: Order) -> Iterator[Change]:
    """Every such question in the parsed regions, as something that several workers should not do at once."""
    for setting, found in ((Setting.PRESENCE, [*files(source)]), (Setting.EMPTINESS, [*queues(source)])):
        for one in sorted(found, key=lambda one: source.span(one.test)):
            name = path_of(one.act.func)
            place = source.place(one.test)
            yield Change(setting, name, order.point(one.test), place, one.text, locks.held(one.act))


# -- files


def files(source: Source) -> Iterator[Asked]:
    """`if not exists(p): mkdir(p)`, `if exists(p): remove(p)`, unless the act takes both answers."""
    if not any(f"{name.rpartition('.')[2]}(" in source.text.text for name in EXISTENCE):
        return
    known: dict[cst.CSTNode | None, Bindings] = {}
    for statement in source.all(cst.If):
        asked = _exists(source, statement.test)
        if asked is None:
            continue
        text, present = asked
        for block, there in _branches(source, statement, present=present):
            for act in _calls(block):
                same = _acts(source, act, there=there) and _file(source, act) == text
                if not same or _forgiving(source, act) or (there and _is_personal(source, statement, text)):
                    continue
                around = source.function_node(statement)
                if around not in known:
                    known[around] = _bindings(around)
                if not _is_unique(source, statement, known[around]):
                    yield Asked(statement.test, act, text)


def _acts(source: Source, act: cst.Call, *, there: bool) -> bool:
    """Whether the call fails, or spoils what another one did, when the answer is out of date."""
    names = {*source.names(act.func)}
    if there:
        ignored = argument(act, "ignore_errors", 1)
        return bool(names & REMOVING or (names & CLEARING and ignored is None))
    mode = argument(act, "mode", 0 if "pathlib.Path.open" in names else 1)
    writes = mode is not None and isinstance(mode.value, cst.SimpleString) and mode.value.raw_value[:1] in ("w", "a")
    return bool(names & MAKING or (names & OPENING and writes))


def _is_unique(source: Source, statement: cst.If, bindings: Bindings) -> bool:
    """Whether the name is made of one that nobody else has: a temporary folder's, a random number's."""
    names = names_in(statement.test)
    for _ in range(DEEPEST):
        found = [value for name in names for value in bindings.get(name, ())]
        calls = (part for value in found for part in below(value) if isinstance(part, cst.Call))
        if any(name.startswith(UNIQUE) for call in calls for name in source.names(call.func)):
            return True
        names = {name for value in found for name in names_in(value)} - names
    return False


def _bindings(function: cst.FunctionDef | cst.Lambda | None) -> Bindings:
    found: Bindings = {}
    for part in below(function) if function is not None else ():
        if isinstance(part, cst.Assign):
            for target in part.targets:
                found.setdefault(path_of(target.target), []).append(part.value)
        elif isinstance(part, cst.WithItem) and part.asname is not None:
            found.setdefault(path_of(part.asname.name), []).append(part.item)
    return found


def _is_personal(source: Source, statement: cst.If, text: str) -> bool:
    """Whether the file's name is the function's own: who removes it has mostly made it, for the one item at hand."""
    around = source.function_node(statement)
    head = text.partition(".")[0].partition("[")[0].partition("(")[0].strip()
    if around is None or not isinstance(around, cst.FunctionDef) or head in ("self", "cls"):
        return False
    declared = (part.names for part in below(around.body) if isinstance(part, cst.Global))
    if any(item.name.value == head for names in declared for item in names):
        return False
    own = head in {name for part in below(around) for name in _bound(part)}
    return own or not (head.isidentifier() or head.startswith(QUOTES))


def _bound(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.Param):
        yield node.name.value
    elif isinstance(node, (cst.AssignTarget, cst.For, cst.CompFor)):
        yield from target_names(node.target)


def _exists(source: Source, test: cst.BaseExpression) -> tuple[str, bool] | None:
    """Of which file the test asks, and whether it asks for its presence."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        found = _exists(source, test.expression)
        return (found[0], not found[1]) if found is not None else None
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return _exists(source, test.left) or _exists(source, test.right)
    if isinstance(test, cst.Call) and EXISTENCE & {*source.names(test.func)}:
        return _file(source, test), True
    return None


def _file(source: Source, call: cst.Call) -> str:
    """The file's name as written: the argument of a function of `os`, the object of a method of `Path`."""
    if any(name.startswith("pathlib.") for name in source.names(call.func)) and isinstance(call.func, cst.Attribute):
        return source.code(call.func.value)
    return source.code(call.args[0].value) if call.args else ""


def _branches(source: Source, statement: cst.If, *, present: bool) -> Iterator[tuple[cst.CSTNode, bool]]:
    yield statement.body, present
    if statement.orelse is not None:
        yield statement.orelse, not present
    elif isinstance(statement.body.body[-1], cst.SimpleStatementLine):
        last = statement.body.body[-1].body[-1]
        if isinstance(last, (cst.Return, cst.Raise, cst.Continue)):
            block = source.parent(statement)
            body = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else []
            for one in body[body.index(statement) + 1 :] if statement in body else ():
                yield one, not present


def _calls(block: cst.CSTNode) -> Iterator[cst.Call]:
    for part in below(block):
        if isinstance(part, cst.Call):
            yield part


def _forgiving(source: Source, act: cst.Call) -> bool:
    """Whether being too late does no harm: `exist_ok=True`, `missing_ok=True`, below `try` or `suppress`."""
    if any(arg.star or (arg.keyword is not None and arg.keyword.value.endswith("_ok")) for arg in act.args):
        return True
    return _caught(source, act, FORGIVING)


def _caught(source: Source, node: cst.CSTNode, errors: frozenset[str]) -> bool:
    child = node
    for outer in source.ancestors(node):
        if isinstance(outer, cst.Try) and child is outer.body:
            names = [path_of(part).rpartition(".")[2] for each in outer.handlers for part in _kinds(each)]
            if errors & {*names} or any(handler.type is None for handler in outer.handlers):
                return True
        if isinstance(outer, cst.With) and any("suppress" in source.code(item.item) for item in outer.items):
            return True
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            return False
        child = outer
    return False


def _kinds(handler: cst.ExceptHandler) -> Iterator[cst.BaseExpression]:
    if isinstance(handler.type, cst.Tuple):
        yield from (element.value for element in handler.type.elements)
    elif handler.type is not None:
        yield handler.type


# -- queues


def queues(source: Source) -> Iterator[Asked]:
    """`if not q.empty(): q.get()`, also with `while` and `qsize()`."""
    if not any(f".{name}(" in source.text.text for name in EMPTINESS):
        return
    statements: list[cst.If | cst.While | cst.For] = [*source.all(cst.If), *source.all(cst.While), *source.all(cst.For)]
    for statement in statements:
        test = statement.iter if isinstance(statement, cst.For) else statement.test
        asked = next((part for part in _calls(test) if _asks_queue(source, part)), None)
        owner = asked.func.value if asked is not None and isinstance(asked.func, cst.Attribute) else None
        act = _taken(source, statement, path_of(owner)) if owner is not None and not _is_own(source, owner) else None
        if owner is None or act is None:
            continue
        blocks = not act.args and not path_of(act.func).endswith("_nowait")
        if blocks or not _caught(source, act, frozenset({"Empty", "Exception"})):
            yield Asked(test, act, source.code(owner))


def _taken(source: Source, statement: cst.If | cst.While | cst.For, queue: str) -> cst.Call | None:
    """The first call that takes an item on the answer: below the test, or behind `if q.empty(): return`."""
    wanted = {f"{queue}.{name}" for name in TAKING}
    blocks: list[cst.CSTNode] = [statement.body]
    if isinstance(statement, cst.If) and leaves(statement.body):
        blocks += behind(source, statement)
    return next((act for block in blocks for act in _calls(block) if path_of(act.func) in wanted), None)


def _asks_queue(source: Source, call: cst.Call) -> bool:
    func = call.func
    return (
        isinstance(func, cst.Attribute) and func.attr.value in EMPTINESS and bool(QUEUES & {*source.types(func.value)})
    )


def _is_own(source: Source, owner: cst.BaseExpression) -> bool:
    """Whether the queue is made by the same function: nobody else may have it."""
    around = source.function_node(owner)
    return any(
        path_of(target.target) == path_of(owner) and source.function_node(target) is around and around is not None
        for target in source.all(cst.AssignTarget)
    )


def made_sure(source: Source, act: cst.Call) -> str:
    """The argument with which the act takes both answers; "" where it has none."""
    names = {*source.names(act.func)}
    if argument(act, "exist_ok") is not None or argument(act, "missing_ok") is not None:
        return ""
    if "os.makedirs" in names or "pathlib.Path.mkdir" in names:
        return "exist_ok=True"
    return "missing_ok=True" if "pathlib.Path.unlink" in names else ""
