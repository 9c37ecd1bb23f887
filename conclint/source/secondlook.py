"""Double-checked locking without the second check: a test, then a lock, then what the test's answer asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.model import Edit, Fix, Safety
from conclint.program.observations import Act
from conclint.source.acts import State, act_of
from conclint.source.checks import Checks, Test
from conclint.source.edits import indent_unit, lines_of, shifted
from conclint.source.lockedblocks import Locked
from conclint.source.makes import Makes
from conclint.source.paths import path_of
from conclint.source.questions import assigned, is_last_part, key_of, same_function
from conclint.source.source import Source

# What is called so looks itself.
SECOND = re.compile(r"get_or_|_or_get|setdefault|if_missing|if_needed|ensure")


# A flag that says of something that it is over.
ENDED = re.compile(r"clos|stop|shut|finish|done|cancel|exit|dispos|terminat|quit|dead|abort|disconnect")


class Missing(NamedTuple):
    """The state that is tested by `branch`, and made in `block` once its lock is held, without another look."""

    state: State
    branch: cst.If
    block: Locked


class SecondLook:
    """Finds them in one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._locks = source.locks
        self._checks = Checks(source, self._locks)
        self._makes = Makes(source)

    def all(self) -> Iterator[Missing]:
        """Each block at most once."""
        for block in self._source.locked_blocks:
            for state in self._made(block.body):
                branch = self.tested(state, block.body)
                if branch is not None and not self._locks.held(branch):  # else somebody is kept out already
                    yield Missing(state, branch, block)
                    break

    def _made(self, block: cst.BaseSuite) -> Iterator[State]:
        """What is created in the block, if nothing in there reads it before: a second look, or another use."""
        for node in same_function(block):
            if isinstance(node, (cst.Name, cst.Attribute)) and not is_last_part(self._source, node):
                done = act_of(self._source, node)
                stored = done.act is Act.REPLACE or (done.act is Act.CHANGE and done.operation == "=")
                stored = stored and not self.is_own(node)
                value = assigned(self._source, node) if stored else None
                many = done.act is Act.CHANGE
                if value is None or self._looks(block, node, value) or not self._unread(block, node):
                    continue
                if self._makes.one_too_many(value, containers=many) or self._is_done(block, node, value):
                    yield node

    def _is_done(self, block: cst.BaseSuite, flag: State, value: cst.BaseExpression) -> bool:
        """Whether it only notes that the work is done: `self._connect()` and then `self._ready = True`.

        What has ended twice has ended.
        """
        if path_of(value) != "True" or ENDED.search(path_of(flag)):
            return False
        here = self._source.sequence(flag)
        calls = (part for part in same_function(block) if isinstance(part, cst.Call))
        return any(self._makes.works(call) for call in calls if self._source.sequence(call) < here)

    def is_own(self, node: State) -> bool:
        """Whether it is a variable of the function itself: nobody else looks for it."""
        store = self._source.named(node).store
        return store is not None and store.sort == "local" and store.owner == self._source.identity(node)

    def _looks(self, block: cst.BaseSuite, made: State, value: cst.BaseExpression) -> bool:
        """Whether there is a second look of another kind: a test in the block, or `_get_or_create(key)`."""
        if isinstance(value, cst.Call) and SECOND.search(path_of(value.func).rpartition(".")[2]):
            return True
        for outer in self._source.ancestors(made):
            if outer is block:
                return False
            if isinstance(outer, cst.If):
                return True
        return False

    def _unread(self, block: cst.BaseSuite, made: State) -> bool:
        """Whether nothing else reads it in front of what makes it."""
        path, statement = path_of(made), self._source.statement(made)
        return not any(
            path_of(node) == path and node is not made and self._until(node, statement)
            for node in same_function(block)
            if isinstance(node, (cst.Name, cst.Attribute))
        )

    def _until(self, node: cst.CSTNode, statement: cst.CSTNode) -> bool:
        """Whether the node stands in front of the statement, or in it."""
        source = self._source
        return source.sequence(node) < source.sequence(statement) or source.statement(node) is statement

    def tested(self, made: State, block: cst.BaseSuite) -> cst.If | None:
        """The `if` around the block, or right in front of it, on whose answer it is made."""
        path, key = path_of(made), key_of(self._source, made)
        function = self._source.function_node(block)
        for node in same_function(function.body) if function is not None else ():
            if isinstance(node, (cst.Name, cst.Attribute)) and path_of(node) == path:
                test = self._checks.test(node)  # `if x is None`, or `y = d.get(k)` and then `if y is None`
                leads = test is not None and test.key in ("", key) and self._leads_to(test, block)
                if test is not None and leads and isinstance(test.statement, cst.If):
                    return test.statement
        return None

    def _leads_to(self, test: Test, block: cst.BaseSuite) -> bool:
        return any(
            not present and any(one is block for one in same_function(part))
            for part, present in self._checks.branches(test)
        )


def look_again(source: Source, missing: Missing) -> Fix | None:
    """The same question once more under the lock."""
    branch, body, path = missing.branch, missing.block.body, path_of(missing.state)
    names = (node for node in same_function(branch.test) if isinstance(node, (cst.Name, cst.Attribute)))
    if not any(path_of(node) == path for node in names):
        return None  # it asks a variable, which is as it was
    inside = any(one is body for one in same_function(branch.body))
    if not inside or not isinstance(body, cst.IndentedBlock) or _leaves_it(body):
        return None  # the question would have to be turned round, or the way out goes through the block
    first, last = body.body[0], body.body[-1]
    line = f"{source.indent(first)}if {source.code(branch.test)}:\n"
    edit = Edit(lines_of(source, first, last), line + shifted(source, first, last, indent_unit(source, first)))
    plain = not any(isinstance(one, (cst.Call, cst.Await)) for one in same_function(branch.test))
    return Fix(f"look again under `{missing.block.lock}`", (edit,), Safety.SAFE if plain else Safety.UNSAFE)


def _leaves_it(body: cst.IndentedBlock) -> bool:
    leaving = (cst.Return, cst.Break, cst.Continue, cst.Yield)
    return any(isinstance(one, leaving) for one in same_function(body))
