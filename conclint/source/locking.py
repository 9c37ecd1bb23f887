"""Fixes that put a lock beside some state and hold it: around a statement, or around a second look."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import libcst as cst

from conclint.knowledge.kinds import Context, LockKind
from conclint.model import Edit, Fix, Span
from conclint.program.values import Store, split_id
from conclint.source.accesses import Accesses
from conclint.source.edits import add_line, imported, indent_unit, lines_of, shifted, wrapped
from conclint.source.imports import top_level
from conclint.source.paths import path_of
from conclint.source.source import Source
from conclint.source.tree import below

FROM_THREADING = re.compile(r"^from threading import ", re.MULTILINE)


class Lock(NamedTuple):
    """How the lock is written at the state's statement, and the edits that make it (none, if it is there already)."""

    text: str
    edits: tuple[Edit, ...]


class Wanted(NamedTuple):
    """Which lock is looked for or made."""

    state: cst.Name | cst.Attribute
    store: Store
    reentrant: bool
    of_class: bool


def lock_statement(source: Source, span: Span, *, of_class: bool = False) -> Fix | None:
    """The statement at `span` under a lock of its state."""
    statement = _small_statement(source, span)
    state = _changed(statement) if statement is not None else None
    if statement is None or state is None or _calls_own_code(source, [statement]) or _suspends(statement):
        return None  # what it calls may take the lock itself; nobody may wait while holding it
    if isinstance(statement, cst.Assign) and not any(path_of(one) == path_of(state) for one in below(statement.value)):
        return None  # it rests on what was read further up
    lock = _lock(source, state, reentrant=False, of_class=of_class)
    line = source.statement(statement)
    if lock is None or not isinstance(line, cst.BaseStatement):
        return None
    edit = wrapped(source, [line], f"with {lock.text}:")
    return Fix(f"hold `{lock.text}` around it", (*lock.edits, edit)) if edit is not None else None


def hold(source: Source, span: Span, lock: str) -> Fix | None:
    """The statement at `span` under the lock that is written `lock`."""
    statement = _small_statement(source, span)
    if statement is None or _calls_own_code(source, [statement]) or _suspends(statement):
        return None  # what it calls may take the lock itself; nobody may wait while holding it
    line = source.statement(statement)
    edit = wrapped(source, [line], f"with {lock}:") if isinstance(line, cst.BaseStatement) else None
    return Fix(f"hold `{lock}` around it", (edit,)) if edit is not None else None


def double_check(source: Source, span: Span) -> Fix | None:
    """The body of the `if` whose test is at `span`, under a lock and a second look."""
    branch = next((one for one in source.all(cst.If) if source.span(one.test) == span), None)
    if (
        branch is None
        or branch.orelse is not None
        or not isinstance(branch.body, cst.IndentedBlock)
        or _suspends(branch)
    ):
        return None
    state = _tested(source, branch.test)
    body = list(branch.body.body)
    if state is None:
        return None
    named = source.named(state)
    of_class = named.of_class and not path_of(state).startswith("self.")
    lock = _lock(source, state, reentrant=_calls_own_code(source, body), of_class=of_class)
    if lock is None:
        return None
    first, last = body[0], body[-1]
    indent, unit = source.indent(first), indent_unit(source, first)
    header = f"{indent}with {lock.text}:\n{indent}{unit}if {source.code(branch.test)}:\n"
    edit = Edit(lines_of(source, first, last), header + shifted(source, first, last, unit * 2))
    return Fix(f"look again under `{lock.text}`", (*lock.edits, edit))


# -- what is to be locked


def _small_statement(source: Source, span: Span) -> cst.BaseSmallStatement | None:
    for kind in (cst.AugAssign, cst.Assign, cst.Expr):
        for node in source.all(kind):
            if source.span(node) == span:
                return node
    return None


def _changed(statement: cst.BaseSmallStatement) -> cst.Name | cst.Attribute | None:
    """The state that the statement changes."""
    node: cst.CSTNode | None = None
    if isinstance(statement, cst.AugAssign):
        node = statement.target
    elif isinstance(statement, cst.Assign):
        node = statement.targets[0].target
    elif isinstance(statement, cst.Expr) and isinstance(statement.value, cst.Call):
        func = statement.value.func
        node = func.value if isinstance(func, cst.Attribute) else None
    while isinstance(node, cst.Subscript):
        node = node.value
    return node if isinstance(node, (cst.Name, cst.Attribute)) else None


def _tested(source: Source, test: cst.BaseExpression) -> cst.Name | cst.Attribute | None:
    states = {*source.scene.states}
    for node in below(test):
        if isinstance(node, (cst.Name, cst.Attribute)) and source.named(node).store in states:
            return node
    return None


def _calls_own_code(source: Source, statements: Sequence[cst.CSTNode]) -> bool:
    """Whether functions of the program run in there: they may want the same lock."""
    return any(
        isinstance(node, cst.Call)
        and (source.named(node.func).functions or any(":" in one for one in source.names(node.func)))
        for statement in statements
        for node in below(statement)
    )


def _suspends(node: cst.CSTNode) -> bool:
    return any(isinstance(one, (cst.Await, cst.Yield)) for one in below(node))


# -- the lock


def _lock(source: Source, state: cst.Name | cst.Attribute, *, reentrant: bool, of_class: bool) -> Lock | None:
    store = source.named(state).store
    if store is None or split_id(store.owner)[0] != source.path or store.path.rpartition(".")[0]:
        return None  # the state lives in another file: its lock belongs there
    wanted = Wanted(state, store, reentrant, of_class)
    if store.sort != "attribute":
        return _of_variable(source, wanted) if isinstance(state, cst.Name) else None
    node = _class(source, split_id(store.owner)[1])
    if node is None or not isinstance(state, cst.Attribute):
        return None
    return _of_class(source, wanted, node) if of_class else _of_object(source, wanted, node)


def _of_variable(source: Source, wanted: Wanted) -> Lock | None:
    store = wanted.store
    used = _in_use(source, store)
    if used is not None and not wanted.reentrant:
        return Lock(used, ())
    name = f"{store.path}_lock"
    if store.sort == "global":
        lines = dict(_globals(source))
        known, after = name in lines, lines.get(store.path)
        indent = ""
    else:
        block = _block(source, store)
        binding = next((one for one in block if _binds(one, store.path)), None)
        known = any(_binds(one, name) for one in block)
        after = source.span(binding).end_line + 1 if binding is not None else None
        indent = source.indent(binding) if binding is not None else ""
    if known:
        return Lock(name, ())
    if after is None:
        return None  # a parameter, or bound on a branch only: nowhere is beside it
    return _made(source, wanted, name, name, lambda line: _line(after, indent + line))


def _of_class(source: Source, wanted: Wanted, node: cst.ClassDef) -> Lock | None:
    block = list(node.body.body)
    binding = next((one for one in block if _binds(one, wanted.store.path)), None)
    if binding is None or isinstance(source.parent(node), cst.IndentedBlock):
        return None  # the class cannot be named from here
    for name, kind in _locks_bound(source, block, ""):
        if kind.reentrant or not wanted.reentrant:
            return Lock(f"{node.name.value}.{name}", ())
    name = _free(node, source, wanted)
    return _made(source, wanted, name, f"{node.name.value}.{name}", lambda line: _after(source, binding, line))


def _of_object(source: Source, wanted: Wanted, node: cst.ClassDef) -> Lock | None:
    receiver = wanted.state.value if isinstance(wanted.state, cst.Attribute) else None
    if not isinstance(receiver, cst.Name) or not source.is_receiver(receiver) or _is_frozen(source, node):
        return None
    for name, kind in _own_locks(source, node):
        if kind.reentrant or not wanted.reentrant:
            return Lock(f"{receiver.value}.{name}", ())
    constructor = next((one for one in _methods(node) if one.name.value == "__init__"), None)
    if constructor is None or not constructor.params.params or not isinstance(constructor.body, cst.IndentedBlock):
        return None  # nowhere to make it
    own = constructor.params.params[0].name.value
    first = _first_statement(constructor.body)
    name = _free(node, source, wanted)
    return _made(
        source, wanted, f"{own}.{name}", f"{receiver.value}.{name}", lambda line: add_line(source, first, line)
    )


def _made(source: Source, wanted: Wanted, target: str, text: str, place: Callable[[str], Edit]) -> Lock | None:
    """A new lock, and what it needs imported."""
    maker = "RLock" if wanted.reentrant else "Lock"
    found = (
        imported(source, "threading", maker)
        if FROM_THREADING.search(source.text.text)
        else imported(source, "threading")
    )
    if found is None:
        return None
    spelled = found.spelled if found.spelled.rpartition(".")[2] == maker else f"{found.spelled}.{maker}"
    return Lock(text, (*found.edits, place(f"{target} = {spelled}()")))


def _free(node: cst.ClassDef, source: Source, wanted: Wanted) -> str:
    """A name for the new lock that neither the class nor its bases use."""
    if wanted.reentrant:
        return "_creation_lock"
    alone = not node.bases or all(path_of(base.value) == "object" for base in node.bases)
    taken = re.search(r"\b_lock\b", source.code(node))
    return "_lock" if alone and not taken else f"_{wanted.store.path.strip('_')}_lock"


# -- what is there


def _in_use(source: Source, store: Store) -> str | None:
    """The lock under which other code changes the variable already."""
    ids = Counter(lock for access in Accesses(source).accesses() if access.store == store for lock in access.held)
    for lock, _ in ids.most_common():
        sort, owner, name = [*lock.split("|", 2), "", ""][:3]
        if sort == "global" and owner == source.path and name.isidentifier():
            return name
    return None


def _globals(source: Source) -> Iterator[tuple[str, int]]:
    """The names that the module's own statements bind, last ones first, each with the line behind the statement."""
    for line in reversed(list(top_level(source.text.lines))):
        if len(line.words) > 1 and line.words[1] in ("=", ":"):
            yield line.words[0], line.last + 1


def _block(source: Source, store: Store) -> list[cst.BaseStatement | cst.BaseSmallStatement]:
    """The statements of the function that owns the variable, those on its branches excluded."""
    qualname = split_id(store.owner)[1]
    for function in source.all(cst.FunctionDef):
        if source.qualname_of(function) == qualname:
            return list(function.body.body)
    return []


def _class(source: Source, qualname: str) -> cst.ClassDef | None:
    for node in source.all(cst.ClassDef):
        if source.class_name(node) == qualname:
            return node
    return None


def _methods(node: cst.ClassDef) -> Iterator[cst.FunctionDef]:
    for statement in node.body.body:
        if isinstance(statement, cst.FunctionDef):
            yield statement


def _own_locks(source: Source, node: cst.ClassDef) -> Iterator[tuple[str, LockKind]]:
    for method in _methods(node):
        if method.name.value == "__init__" and method.params.params:
            yield from _locks_bound(source, method.body.body, method.params.params[0].name.value + ".")
    yield from _locks_bound(source, node.body.body, "")


def _locks_bound(source: Source, block: Sequence[cst.CSTNode], prefix: str) -> Iterator[tuple[str, LockKind]]:
    """The plain locks that statements of the block make, by the name behind `prefix`."""
    for statement in block:
        for assign in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(assign, cst.Assign) and isinstance(assign.value, cst.Call):
                path = path_of(assign.targets[0].target)
                kind = next(filter(None, map(source.knowledge.locks.get, source.names(assign.value.func))), None)
                plain = kind is not None and kind.among is not Context.LOOP and not kind.counting
                if kind is not None and plain and path.startswith(prefix) and path[len(prefix) :].isidentifier():
                    yield path[len(prefix) :], kind


def _binds(statement: cst.CSTNode, name: str) -> bool:
    """`name = …`, `name: T = …`."""
    for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
        targets = [one.target for one in small.targets] if isinstance(small, cst.Assign) else []
        if isinstance(small, cst.AnnAssign) and small.value is not None:
            targets = [small.target]
        if any(isinstance(one, cst.Name) and one.value == name for one in targets):
            return True
    return False


def _is_frozen(source: Source, node: cst.ClassDef) -> bool:
    """Whether its objects take no lock: `__slots__`, a decorator that makes the class, objects for other processes."""
    slots = any(_binds(one, "__slots__") for one in node.body.body)
    return slots or bool(node.decorators) or "Process(" in source.code(node)


def _first_statement(block: cst.IndentedBlock) -> cst.BaseStatement:
    """The first one behind the docstring."""
    first = block.body[0]
    small = first.body[0] if isinstance(first, cst.SimpleStatementLine) else None
    value = small.value if isinstance(small, cst.Expr) else None
    documented = isinstance(value, (cst.SimpleString, cst.ConcatenatedString)) and len(block.body) > 1
    return block.body[1] if documented else first


def _after(source: Source, statement: cst.CSTNode, text: str) -> Edit:
    return _line(source.span(statement).end_line + 1, source.indent(statement) + text)


def _line(number: int, text: str) -> Edit:
    return Edit(Span(number, 1, number, 1), text + "\n")
