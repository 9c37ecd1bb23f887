"""Settings that stay as they are: what a test says of them holds wherever the program asks again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from conclint.source.paths import path_of
from conclint.source.questions import conjuncts
from conclint.source.source import Source


class Settled:
    """Answers for one file."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def under(self, statement: cst.If, branch: cst.CSTNode) -> Iterator[str]:
        """What is the case in a branch: `options.quick`, or `not options.quick`."""
        if branch is statement.body:
            parts = conjuncts(statement.test)
            yield from (said for part in parts if (said := self._said(part, holds=True)))
        elif branch is statement.orelse and (said := self._said(statement.test, holds=False)):
            yield said

    def _said(self, test: cst.BaseExpression, *, holds: bool) -> str:
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            return self._said(test.expression, holds=not holds)
        path = path_of(test) if isinstance(test, (cst.Name, cst.Attribute)) else ""
        if not path or not self._stays(path, test):
            return ""
        return path if holds else f"not {path}"

    def _stays(self, path: str, test: cst.BaseExpression) -> bool:
        """Whether the file binds it once at most, and no call of the function brings another one along."""
        head, dot, _ = path.partition(".")
        function = self._source.function_node(test)
        if not isinstance(function, cst.FunctionDef):
            return self._bound[path] < 2 and self._bound[head] < 2
        given = {param.name.value for param in (*function.params.params, *function.params.kwonly_params)}
        own = function.params.params[0].name.value if function.params.params else ""
        if not dot or (head in given and head != own):
            return False
        return self._bound[path] < 2 and (head == own or self._bound[head] < 2)

    @cached_property
    def _bound(self) -> Counter[str]:
        """How often the file binds a name or attribute."""
        targets: list[cst.BaseExpression] = [node.target for node in self._source.all(cst.AssignTarget)]
        targets += [node.target for node in self._source.all(cst.AnnAssign)]
        targets += [node.target for node in self._source.all(cst.AugAssign)]
        targets += [node.target for node in self._source.all(cst.For)]
        return Counter(path_of(target) for target in targets)
