"""Which locks are held at a node, as far as its own function shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lockwords import BY_CONTRACT, gives_lock, holds_lock, is_lock
from conclint.program.values import Store, function_id
from conclint.source.bywords import called_with_lock
from conclint.source.paths import path_of
from conclint.source.tree import children

if TYPE_CHECKING:
    from conclint.source.source import Source

ANY_LOCK = "*"

ACQUIRING = ("acquire", "__enter__")
RELEASING = ("release", "__exit__")

# What can tell of locks for its parts; their exact types are faster to ask for than whether they are of them.
TELLING = frozenset({cst.With, cst.If, cst.IndentedBlock, cst.Module, cst.FunctionDef, cst.Lambda, cst.ClassDef})

# Stands for the end of a block, where the others are nodes' ids.
END = -1


def lock_id(store: Store) -> str:
    """How a lock is named in lock sets: by the variable or attribute that holds it."""
    return f"{store.sort}|{store.owner}|{store.path}"


def holding(function: str) -> str:
    """What stands in lock sets for the locks that a manager or decorator of the program holds (see `guards`)."""
    return f"in|{function}"


class Locks:
    """Lock sets of one file; every answer holds within one function, callers' locks come later."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._acquired: dict[int, dict[int, tuple[str, ...]]] = {}  # by the block's `id`
        self._held: dict[int, tuple[str, ...]] = {}  # by the `id` of each part of what tells of locks
        self._contracts: dict[int, bool] = {}  # by the function's `id`

    def held(self, node: cst.CSTNode) -> tuple[str, ...]:
        """The locks held when the node is reached, the nearest first."""
        way: list[tuple[cst.CSTNode, cst.CSTNode]] = []
        found: tuple[str, ...] = ()
        child = node
        for outer in self._source.ancestors(node):
            known = self._held.get(id(child))
            if known is not None:
                found = known
                break
            if type(outer) in TELLING:
                way.append((outer, child))
                if isinstance(outer, (cst.FunctionDef, cst.Lambda, cst.ClassDef)) and child is outer.body:
                    break
            child = outer
        for outer, child in reversed(way):
            found = self._held[id(child)] = self._around(outer, child, found)
        return found

    def _around(self, outer: cst.CSTNode, child: cst.CSTNode, further: tuple[str, ...]) -> tuple[str, ...]:
        """The locks held where `child` begins, a part of `outer`, where the `further` ones are held already."""
        own: list[str] = []
        if isinstance(outer, cst.With):
            own += self._entered(outer) if child is outer.body else self._entered_before(outer, child)
        elif isinstance(outer, cst.If) and child is not outer.test:
            own += self._asked_for(outer.test)
            own += self._got(outer.test) if child is outer.body else ()
        elif isinstance(outer, (cst.IndentedBlock, cst.Module)):
            own += self._acquired_before(outer.body, child)
        elif isinstance(outer, cst.FunctionDef) and child is outer.body:
            own += self._of_function(outer)
        return tuple(dict.fromkeys((*own, *further)))

    def _entered(self, block: cst.With) -> Iterator[str]:
        for item in block.items:
            yield from self._by(item)
        yield from self._through_stack(block)

    def _entered_before(self, block: cst.With, wanted: cst.CSTNode) -> Iterator[str]:
        """`with lock, wanted():`"""
        for item in block.items:
            if item is wanted:
                return
            yield from self._by(item)

    def _by(self, item: cst.WithItem) -> Iterator[str]:
        yield from self.lock(item.item)
        if isinstance(item.item, cst.Call):
            yield from self._of_manager(item.item)
        elif isinstance(item.item, (cst.BooleanOperation, cst.IfExp)):
            yield from self._one_of(item.item)

    def _one_of(self, choice: cst.BooleanOperation | cst.IfExp) -> Iterator[str]:
        """`with held_already(caller) or self._lock:`, `with nullcontext() if locked else self._lock:`."""
        if isinstance(choice, cst.BooleanOperation):
            parts = choice.left, choice.right
        else:
            parts = choice.body, choice.orelse
        if any(True for part in parts for _ in self.lock(part)):
            yield ANY_LOCK

    def _asked_for(self, test: cst.BaseExpression) -> Iterator[str]:
        """`if lock is not None: … else: …`: without a lock there is nobody to keep out."""
        part = test.left if isinstance(test, cst.Comparison) else test
        if isinstance(test, cst.Comparison) and path_of(test.comparisons[0].comparator) == "None":
            yield from (lock for lock in self.lock(part) if not lock.startswith("enter|"))

    def _got(self, test: cst.BaseExpression) -> Iterator[str]:
        """`if lock.acquire(timeout=1):`, alone or as a part of an `and`."""
        if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
            yield from self._got(test.left)
            yield from self._got(test.right)
        part = test.value if isinstance(test, cst.NamedExpr) else test
        func = part.func if isinstance(part, cst.Call) else None
        if isinstance(func, cst.Attribute) and func.attr.value in ACQUIRING:
            yield from self.lock(func.value)

    def _through_stack(self, block: cst.With) -> Iterator[str]:
        """`stack.enter_context(lock)` right below `with ExitStack() as stack`."""
        for statement in children(block.body):
            for node in self._source.inside(statement, cst.Call):
                if not isinstance(statement, cst.SimpleStatementLine):
                    break
                if path_of(node.func).endswith(".enter_context") and node.args:
                    yield from self.lock(node.args[0].value)

    def _of_manager(self, call: cst.Call) -> Iterator[str]:
        """`with self._locked():`, `with lock.read_lock():`, `with lock_for(key):`."""
        name = path_of(call.func).rpartition(".")[2]
        owner = call.func.value if isinstance(call.func, cst.Attribute) else None
        if owner is not None and name in ("acquire", "acquire_timeout"):
            yield from self.lock(owner)
            return
        yield from (holding(function) for function in self._source.named(call.func).functions)
        yield from self._entered_object(call)
        if gives_lock(name) or self._is_lock(call):
            store = self._source.named(call.func).store
            yield lock_id(store) if store is not None else f"call|{path_of(call.func)}"

    def _entered_object(self, expression: cst.BaseExpression) -> Iterator[str]:
        """`with self:`: what the `__enter__` of a class of the program acquires."""
        own = next((name for name in self._source.types(expression) if ":" in name), None)
        if own is not None:
            yield f"enter|{own}"

    def _is_lock(self, expression: cst.BaseExpression) -> bool:
        return any(name in self._source.knowledge.locks for name in self._source.types(expression))

    def lock(self, expression: cst.BaseExpression) -> Iterator[str]:
        """The id of the lock that an expression denotes; nothing when it is no lock."""
        if isinstance(expression, cst.Await):
            expression = expression.expression
        path = path_of(expression)
        if not path or path.endswith("()"):
            return
        named = self._source.named(expression)
        if not self._is_lock(expression):
            yield from self._entered_object(expression)
        if self._is_lock(expression) or is_lock(path.removesuffix("[]").rpartition(".")[2]):
            yield lock_id(named.store) if named.store is not None else f"path|{path}"

    def _acquired_before(self, block: Sequence[cst.CSTNode], child: cst.CSTNode) -> tuple[str, ...]:
        """Locks acquired by statements before `child` in its block and not released before it."""
        known = self._acquired.get(id(block))
        if known is None:
            known = self._acquired[id(block)] = self._acquired_in(block)
        return known.get(id(child), known[END])

    def _acquired_in(self, block: Sequence[cst.CSTNode]) -> dict[int, tuple[str, ...]]:
        """The locks that are held when each statement of the block begins, by its `id`, and at the end."""
        held: dict[str, None] = {}
        found: dict[int, tuple[str, ...]] = {END: ()}
        if not block or not self._source.mentions(block[0], *ACQUIRING):
            return found
        for statement in block:
            found[id(statement)] = found[END]
            for name, lock in self._find_lock_calls(statement):
                if name == "acquire":
                    held[lock] = None
                else:
                    held.pop(lock, None)
                found[END] = tuple(held)
        return found

    def _find_lock_calls(self, statement: cst.CSTNode) -> Iterator[tuple[str, str]]:
        """What the statement acquires and releases, in its order."""
        if isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
            return
        for node in self._source.inside(statement, cst.Call):
            if isinstance(node.func, cst.Attribute):
                name = node.func.attr.value
                if name in ACQUIRING or (name in RELEASING and not self._on_the_way_out(node, statement)):
                    for lock in self.lock(node.func.value):
                        yield ("acquire" if name in ACQUIRING else "release"), lock

    def _on_the_way_out(self, release: cst.CSTNode, statement: cst.CSTNode) -> bool:
        """`if not ready: lock.release(); return`: who comes to what stands behind it still holds the lock."""
        for outer in self._source.ancestors(release):
            if outer is statement:
                return False
            last = outer.body[-1] if isinstance(outer, cst.IndentedBlock) else None
            small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else None
            if isinstance(small, (cst.Return, cst.Raise)) and isinstance(
                self._source.parent(outer), (cst.If, cst.Else, cst.ExceptHandler)
            ):
                return True
        return False

    def at_end(self, function: cst.FunctionDef) -> tuple[str, ...]:
        """The locks that the function leaves acquired."""
        return self._acquired_before(function.body.body, function)

    def _by_contract(self, function: cst.FunctionDef) -> bool:
        """Whether its name or documentation says that callers hold a lock."""
        known = self._contracts.get(id(function))
        if known is None:
            known = BY_CONTRACT.search(function.name.value) is not None or called_with_lock(function)
            self._contracts[id(function)] = known
        return known

    def _handed(self, decorator: cst.BaseExpression) -> Iterator[str]:
        """`@synchronized(lock)`: what it is given to hold."""
        for arg in decorator.args if isinstance(decorator, cst.Call) else ():
            if arg.keyword is None and self._is_lock(arg.value):
                yield from self.lock(arg.value)

    def _of_function(self, function: cst.FunctionDef) -> Iterator[str]:
        if self._by_contract(function):
            yield ANY_LOCK
        own = self._source.qualname_of(function)
        for decorator in function.decorators:
            expression = decorator.decorator
            name = path_of(expression.func if isinstance(expression, cst.Call) else expression)
            known = self._source.named_at(own, name).functions
            if not known and function.params.params and "." not in name:  # a function of the class
                known = self._source.named_at(own, f"{function.params.params[0].name.value}.{name}").functions
            yield from (f"by|{one}|{function_id(self._source.path, own)}" for one in known)
            if known or holds_lock(name.rpartition(".")[2]):
                yield from self._handed(expression)
            if not known and holds_lock(name.rpartition(".")[2]):
                yield f"decorator|{self._source.path}|{name}"
