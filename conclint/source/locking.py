"""Fixes that put a lock beside some state and hold it: around a statement, or around a second look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from conclint.model import Edit, Fix, Span
from conclint.source.edits import indent_unit, lines_of, shifted, wrapped
from conclint.source.lockbeside import Lock, lock_beside, may_take
from conclint.source.lockstretch import is_quick, stretch
from conclint.source.paths import path_of
from conclint.source.source import Source
from conclint.source.tree import below


def lock_statement(source: Source, span: Span, *, of_class: bool = False) -> Fix | None:
    """The statement at `span` under a lock of its state, with what has to be one step with it."""
    statement = _small_statement(source, span)
    state = _changed(statement) if statement is not None else None
    if statement is None or state is None or not _is_safe(source, statement):
        return None
    if not _reads_itself(statement, state):
        return None  # it rests on what was read further up
    lock = lock_beside(source, state, reentrant=False, of_class=of_class)
    return _held(source, statement, state, lock, of_class=of_class) if lock is not None else None


def hold(source: Source, span: Span, lock: str) -> Fix | None:
    """The statement at `span` under the lock that is written `lock`."""
    statement = _small_statement(source, span)
    state = _changed(statement) if statement is not None else None
    if statement is None or not _is_safe(source, statement) or not may_take(source, statement, lock):
        return None
    if state is not None:
        return _held(source, statement, state, Lock(lock, ()), of_class=False)
    line = source.statement(statement)
    return _around(source, [line], Lock(lock, ())) if isinstance(line, cst.BaseStatement) else None


def _held(
    source: Source, statement: cst.CSTNode, state: cst.Name | cst.Attribute, lock: Lock, *, of_class: bool
) -> Fix | None:
    def belongs(other: cst.BaseStatement) -> bool:
        """Another update beside it that wants the same lock."""
        small = other.body[0] if isinstance(other, cst.SimpleStatementLine) and len(other.body) == 1 else None
        changed = _changed(small) if isinstance(small, (cst.AugAssign, cst.Assign)) else None
        if small is None or not isinstance(changed, cst.Attribute) or not is_quick(other):
            return False
        own = _reads_itself(small, changed) and lock_beside(source, changed, reentrant=False, of_class=of_class)
        return bool(own) and own == lock

    line = source.statement(statement)
    lines = stretch(source, line, path_of(state), belongs) if isinstance(line, cst.BaseStatement) else None
    return _around(source, lines, lock) if lines else None


def _around(source: Source, lines: list[cst.BaseStatement], lock: Lock) -> Fix | None:
    edit = wrapped(source, lines, f"with {lock.text}:")
    return Fix(f"hold `{lock.text}` around it", (*lock.edits, edit)) if edit is not None else None


def double_check(source: Source, span: Span) -> Fix | None:
    """The body of the `if` whose test is at `span`, under a lock and a second look, and so of all that make the same.

    Where another goes on without the lock, this one would hold it in vain.  What is there before it is complete must
    not be looked at without the lock.
    """
    branch = next((one for one in source.all(cst.If) if source.span(one.test) == span), None)
    state = _tested(source, branch) if branch is not None else None
    if branch is None or state is None:
        return None
    branches = [branch, *_siblings(source, branch, state)]
    reentrant = any(_calls_own_code(source, [one.body]) for one in branches)
    found = [_second_look(source, one, reentrant=reentrant) for one in branches]
    if found[0] is None:
        return None
    edits = dict.fromkeys(edit for one in found if one is not None for edit in one.edits)
    title = "hold `{}` around it" if _is_seen_unfinished(branch, state) else "look again under `{}`"
    return Fix(title.format(found[0].text), tuple(edits))


def _siblings(source: Source, branch: cst.If, state: cst.Name | cst.Attribute) -> Iterator[cst.If]:
    """The other places of the file that ask the same and make the same state, with no lock held for it yet."""
    store, asked = source.named(state).store, source.code(branch.test)
    for other in source.all(cst.If):
        # Most decorators hold no lock; below one that does, another lock does no harm.
        held = any(not lock.startswith("by|") for lock in source.held(other))
        if other is not branch and source.code(other.test) == asked and not held and not _looks_again(source, other):
            tested = _tested(source, other)
            within = any(one is branch for one in source.ancestors(other))
            if tested is not None and source.named(tested).store == store and not within:
                yield other


def _looks_again(source: Source, branch: cst.If) -> bool:
    """Whether the same is asked again inside, with a lock held."""
    inner = (one for one in source.inside(branch.body, cst.If) if source.code(one.test) == source.code(branch.test))
    return any(source.held(one) != source.held(branch) for one in inner)


def _second_look(source: Source, branch: cst.If, *, reentrant: bool) -> Lock | None:
    """The lock for the branch, with all edits."""
    state = _tested(source, branch)
    if state is None or branch.orelse is not None or not isinstance(branch.body, cst.IndentedBlock):
        return None
    if _suspends(branch):
        return None
    named = source.named(state)
    of_class = named.of_class and not path_of(state).startswith("self.")
    lock = lock_beside(source, state, reentrant=reentrant, of_class=of_class)
    if lock is None:
        return None
    if _is_seen_unfinished(branch, state):
        whole = wrapped(source, [branch], f"with {lock.text}:")
        return Lock(lock.text, (*lock.edits, whole)) if whole is not None else None
    first, last = branch.body.body[0], branch.body.body[-1]
    indent, unit = source.indent(first), indent_unit(source, first)
    header = f"{indent}with {lock.text}:\n{indent}{unit}if {source.code(branch.test)}:\n"
    edit = Edit(lines_of(source, first, last), header + shifted(source, first, last, unit * 2))
    return Lock(lock.text, (*lock.edits, edit))


def _is_seen_unfinished(branch: cst.If, state: cst.Name | cst.Attribute) -> bool:
    """Whether what is made goes on to be filled when others can see it: `_x = {}; _x["a"] = 1`."""
    assigned = [one for one in below(branch.body) if isinstance(one, cst.Assign) and path_of(state) in _targets(one)]
    names = {name for one in assigned for name in _targets(one)}
    making = {id(node) for one in assigned for node in below(one.value)}
    return any(
        isinstance(node, (cst.Attribute, cst.Subscript, cst.Arg))
        and id(node) not in making
        and path_of(node.value) in names
        for node in below(branch.body)
    )


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


def _tested(source: Source, branch: cst.If) -> cst.Name | cst.Attribute | None:
    """The state that the branch makes when it is missing."""
    states = {*source.scene.states}
    made = {path for assign in source.inside(branch.body, cst.Assign) for path in _targets(assign)}
    for node in below(branch.test):
        known = isinstance(node, (cst.Name, cst.Attribute)) and path_of(node) in made
        if isinstance(node, (cst.Name, cst.Attribute)) and known and source.named(node).store in states:
            return node
    return None


def _targets(assign: cst.Assign) -> Iterator[str]:
    for one in assign.targets:
        target: cst.BaseExpression = one.target
        while isinstance(target, cst.Subscript):
            target = target.value
        yield path_of(target)


def _reads_itself(statement: cst.CSTNode, state: cst.Name | cst.Attribute) -> bool:
    """Whether the value that is assigned rests on what was there."""
    if not isinstance(statement, cst.Assign):
        return True
    return any(path_of(one) == path_of(state) for one in below(statement.value))


def _is_safe(source: Source, statement: cst.CSTNode) -> bool:
    """What it calls may take the lock itself; nobody may wait while holding it."""
    return not _calls_own_code(source, [statement]) and not _suspends(statement)


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
