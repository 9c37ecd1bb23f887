"""Which lock a fix holds around some state: one that is there and is meant for it, or a new one beside it."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import libcst as cst

from conclint.knowledge.kinds import Context, LockKind
from conclint.knowledge.lockwords import FOR_ANYTHING
from conclint.model import Edit, Span
from conclint.program.values import Store, function_id, split_id
from conclint.source.edits import add_line, imported
from conclint.source.lockentry import may_hold
from conclint.source.paths import path_of
from conclint.source.source import Source

FROM_THREADING = re.compile(r"^from threading import ", re.MULTILINE)

# What a class says of how its objects are copied and sent: a lock among their attributes cannot be.
COPYING = re.compile(r"\b__(?:slots|getstate|reduce|reduce_ex|deepcopy|copy)__\b")


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


def lock_beside(source: Source, state: cst.Name | cst.Attribute, *, reentrant: bool, of_class: bool) -> Lock | None:
    """The lock to hold around the state; None where its text cannot be right."""
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
    used = next((name for name in _in_use(source, store) if name.isidentifier()), None)
    if used is not None and not wanted.reentrant:
        return None if may_hold(source, wanted.state, used) else Lock(used, ())
    name = f"{store.path}_LOCK" if store.path.isupper() else f"{store.path}_lock"
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
    known = _known(source, wanted, dict(_locks_bound(source, block, "")))
    if known is not None:
        return Lock(f"{node.name.value}.{known}", ()) if known else None
    name = _free(node, source, wanted)
    return _made(source, wanted, name, f"{node.name.value}.{name}", lambda line: _after(source, binding, line))


def _of_object(source: Source, wanted: Wanted, node: cst.ClassDef) -> Lock | None:
    receiver = wanted.state.value if isinstance(wanted.state, cst.Attribute) else None
    if not isinstance(receiver, cst.Name) or not source.is_receiver(receiver) or _is_frozen(source, node):
        return None
    known = _known(source, wanted, dict(_own_locks(source, node)))
    if known is not None:
        return Lock(f"{receiver.value}.{known}", ()) if known else None
    constructor = next((one for one in _methods(node) if one.name.value == "__init__"), None)
    if constructor is None or not constructor.params.params or not isinstance(constructor.body, cst.IndentedBlock):
        return None  # nowhere to make it
    own = constructor.params.params[0].name.value
    first = _first_statement(constructor.body)
    name = _free(node, source, wanted)
    return _made(
        source, wanted, f"{own}.{name}", f"{receiver.value}.{name}", lambda line: add_line(source, first, line)
    )


def _known(source: Source, wanted: Wanted, locks: dict[str, LockKind]) -> str | None:
    """The name of the one to hold; empty where holding it may wait for ever, None where none of them is meant."""
    for name in _in_use(source, wanted.store):
        if name in locks:
            safe = locks[name].reentrant or not (wanted.reentrant or may_hold(source, wanted.state, name))
            return name if safe else ""
    for name, kind in locks.items():
        meant = FOR_ANYTHING.match(name) or wanted.store.path.strip("_") in name
        if meant and (kind.reentrant or not (wanted.reentrant or may_hold(source, wanted.state, name))):
            return name
    return None


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
    """A name for the new lock that neither the class nor its bases use: the same one for all that it is made for."""
    if wanted.reentrant:
        return "_creation_lock"
    alone = not node.bases or all(path_of(base.value) == "object" for base in node.bases)
    text = _text(source, node)
    names = ["_lock"] if alone else []
    if wanted.of_class:  # it is made beside the state, so it is the state's own
        names = names if len({name for one in node.body.body for name in _bound(one)}) == 1 else []
    else:
        names.append("_state_lock")
    free = (name for name in names if not re.search(rf"\b{name}\b", text))
    return next(free, f"_{wanted.store.path.strip('_')}_lock")


def may_take(source: Source, node: cst.CSTNode, lock: str) -> bool:
    """Whether the lock that is written so can be taken at the node: nobody has it there already, or it can be again."""
    for item in source.all(cst.WithItem):
        if path_of(item.item) == lock:
            kinds = [source.knowledge.locks[name] for name in source.types(item.item) if name in source.knowledge.locks]
            if any(kind.reentrant for kind in kinds):
                return True
    return not may_hold(source, node, lock.rpartition(".")[2])


# -- what is there


def _in_use(source: Source, store: Store) -> Iterator[str]:
    """The locks of the same owner under which other code touches the state already, by name, the usual one first."""
    ids = Counter(lock for access in source.accesses if access.store == store for lock in access.held)
    for lock, _ in ids.most_common():
        sort, owner, name = [*lock.split("|", 2), "", ""][:3]
        if sort == ("attribute" if store.sort == "attribute" else "global") and split_id(owner)[0] == source.path:
            yield name


def _globals(source: Source) -> Iterator[tuple[str, int]]:
    """The names that the module's own statements bind, last ones first, each with the line behind the statement."""
    for line in reversed(source.logical_lines):
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
    return name in _bound(statement)


def _bound(statement: cst.CSTNode) -> Iterator[str]:
    for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
        targets = [one.target for one in small.targets] if isinstance(small, cst.Assign) else []
        if isinstance(small, cst.AnnAssign) and small.value is not None:
            targets = [small.target]
        yield from (one.value for one in targets if isinstance(one, cst.Name))


def _is_frozen(source: Source, node: cst.ClassDef) -> bool:
    """Whether its objects take no lock: `__slots__`, a decorator that makes the class, copies, other processes."""
    text = _text(source, node)
    if function_id(source.path, source.class_name(node)) in source.scene.copied:
        return True
    return bool(node.decorators) or "Process(" in text or COPYING.search(text) is not None


def _text(source: Source, node: cst.ClassDef) -> str:
    """The lines of the class, those too that nobody looks at closely."""
    first, indent = source.line(node), len(source.indent(node))
    lines = list(itertools.takewhile(lambda line: _further_in(line, indent), source.text.lines[first:]))
    return "\n".join([source.text.lines[first - 1], *lines])


def _further_in(line: str, indent: int) -> bool:
    return not line.strip() or len(line) - len(line.lstrip()) > indent or line.lstrip().startswith((")", "#"))


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
