"""Calls on locks in one file: on which lock, of which type, and what other functions of the file do to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.kinds import LockKind
from conclint.program.values import Store, split_id
from conclint.source.paths import argument, path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source
    from conclint.source.tree import Function

# Their `with` does what `acquire()` and `release()` do, neither more nor less.
STANDARD_ROOTS = ("threading.", "multiprocessing.", "asyncio.")

FUNCTIONS = (cst.FunctionDef, cst.Lambda, cst.ClassDef)


class LockCall(NamedTuple):
    """A call of a method of a lock; `text`: the lock as it is written there."""

    call: cst.Call
    method: str
    lock: cst.BaseExpression
    text: str
    types: tuple[str, ...]

    @property
    def standard(self) -> bool:
        """Whether the lock surely is one of the standard library's own."""
        return all(name.startswith(STANDARD_ROOTS) for name in self.types)


def lock_types(source: Source, expression: cst.BaseExpression) -> tuple[str, ...]:
    """The types that an expression may have, if it surely is a lock; else none."""
    types = source.types(expression)
    known = source.knowledge.locks
    return types if types and all(name in known for name in types) else ()


def kinds(source: Source, types: tuple[str, ...]) -> tuple[LockKind, ...]:
    """What is known of lock types."""
    return tuple(source.knowledge.locks[name] for name in types)


def is_plain(source: Source, types: tuple[str, ...]) -> bool:
    """Whether who holds the lock and takes it again waits for ever, whichever of the types it has."""
    known = kinds(source, types)
    return bool(known) and not any(kind.reentrant or kind.counting or kind.condition for kind in known)


def lock_call(source: Source, call: cst.CSTNode) -> LockCall | None:
    """The call as one of a lock's methods, if it is one."""
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return None
    lock = call.func.value
    types = lock_types(source, lock)
    if not types or "()" in path_of(lock):
        return None
    return LockCall(call, call.func.attr.value, lock, source.code(lock), types)


def lock_calls(source: Source, *methods: str) -> Iterator[LockCall]:
    """The calls in the parsed regions of one of these methods of locks."""
    for call in source.all(cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in methods:
            found = lock_call(source, call)
            if found is not None:
                yield found


def surely_waits(call: cst.Call) -> bool:
    """Whether the `acquire` comes back only with the lock: it neither declines to wait nor has a time limit."""
    blocking = argument(call, "blocking", 0) or argument(call, "block", 0)
    timeout = argument(call, "timeout", 1)
    if any(arg.star for arg in call.args):
        return False
    return (blocking is None or _is(blocking.value, "True", 1)) and (
        timeout is None or path_of(timeout.value) == "None" or _is_minus_one(timeout.value)
    )


def declines(call: cst.Call) -> bool:
    """Whether the `acquire` surely may come back without the lock: it does not wait, or has a time limit."""
    if any(arg.star for arg in call.args):
        return False
    blocking = argument(call, "blocking", 0) or argument(call, "block", 0)
    if blocking is not None and not _is(blocking.value, "True", 1):
        return _is(blocking.value, "False", 0)
    return not surely_waits(call)


def _is(node: cst.BaseExpression, name: str, number: int) -> bool:
    """`True` or 1, `False` or 0."""
    return path_of(node) == name or (isinstance(node, cst.Integer) and node.evaluated_value == number)


def _is_minus_one(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus)


def rebinds(node: cst.CSTNode, *locks: cst.BaseExpression) -> bool:
    """Whether something below the node makes the name of a lock, or of what has it, mean another."""
    names: set[str] = set()
    for lock in locks:
        parts = path_of(lock).split(".")
        names.update(".".join(parts[: number + 1]) for number in range(len(parts)))
    return any(
        path_of(part) in names
        for one in body_nodes(node)
        if isinstance(one, (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For, cst.CompFor))
        for part in _targets(one.target)
    )


def _targets(target: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from _targets(element.value)
    else:
        yield target


def body_nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The node and what is below it and runs with it: not the bodies of functions and classes inside."""
    from conclint.source.tree import children

    stack = [node]
    while stack:
        one = stack.pop()
        yield one
        if one is node or not isinstance(one, FUNCTIONS):
            inner = children(one)
            inner.reverse()
            stack += inner


class LockUse:
    """What the functions of one file do to locks, for those who call them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._functions: dict[str, cst.FunctionDef] | None = None
        self._released: dict[str, frozenset[Store]] = {}

    def function(self, identity: str) -> cst.FunctionDef | None:
        """A function of this file by its id, if it was parsed."""
        path, qualname = split_id(identity)
        if path != self._source.path:
            return None
        if self._functions is None:
            nodes = self._source.all(cst.FunctionDef)
            self._functions = {self._source.qualname_of(node): node for node in nodes}
        return self._functions.get(qualname)

    def releases(self, call: cst.Call, store: Store | None) -> bool:
        """Whether a call of a function of this file releases what `store` holds."""
        if store is None:
            return False
        return any(store in self.released_by(one) for one in self._source.named(call.func).functions)

    def released_by(self, identity: str) -> frozenset[Store]:
        """The locks that a function of this file releases somewhere."""
        known = self._released.get(identity)
        if known is None:
            self._released[identity] = frozenset()  # a circle releases nothing
            node = self.function(identity)
            known = self._released[identity] = frozenset(self._find(node) if node is not None else ())
        return known

    def _find(self, node: cst.FunctionDef) -> Iterator[Store]:
        for part in body_nodes(node.body):
            found = lock_call(self._source, part)
            store = self._source.named(found.lock).store if found is not None else None
            if found is not None and found.method == "release" and store is not None:
                yield store
            elif isinstance(part, cst.Call):
                for function in self._source.named(part.func).functions:
                    yield from self.released_by(function)

    def handed_over(self, lock: cst.BaseExpression, function: Function | None) -> bool:
        """Whether another function of the file, not called by this one, releases the lock without having taken it."""
        store = self._source.named(lock).store
        if store is None or store.sort == "local":
            return False
        others: dict[Function | None, list[LockCall]] = {}
        for found in lock_calls(self._source, "acquire", "release", "wait"):
            around = self._source.function_node(found.call)
            if around not in (function, *self._called(function)) and self._source.named(found.lock).store == store:
                others.setdefault(around, []).append(found)
        return any(calls[0].method == "release" for calls in others.values())

    def _called(self, function: Function | None) -> Iterator[cst.FunctionDef | None]:
        """The functions of this file that a function calls."""
        for part in body_nodes(function.body) if function is not None else ():
            for identity in self._source.named(part.func).functions if isinstance(part, cst.Call) else ():
                yield self.function(identity)


def mentions(source: Source, node: cst.CSTNode, text: str) -> Iterator[cst.Attribute]:
    """`lock.release` below the node where it is not called: somebody else may call it."""
    for part in below(node):
        if isinstance(part, cst.Attribute) and part.attr.value == "release" and source.code(part.value) == text:
            outer = source.parent(part)
            if not isinstance(outer, cst.Call) or outer.func is not part:
                yield part
