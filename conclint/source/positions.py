"""Where nodes stand: offsets into a region's text, gathered while libcst writes parts of the text out again.

libcst's own provider visits the whole tree once more, splits every token at line ends and makes three objects for each
node.  Here only the statement (of compound ones the head) around a node is written out, and `ast` tells where that
begins.  What counts as a node's own text (`record_syntactic_position`) is libcst's choice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from types import UnionType

import libcst as cst
from libcst.metadata.position_provider import PositionProvider, PositionProvidingCodegenState

from conclint.index.statements import Extent, statements

Range = tuple[int, int]
Statement = cst.BaseSmallStatement | cst.BaseCompoundStatement | cst.ExceptHandler | cst.ExceptStarHandler

# Not written out with the head of a compound statement.
BLOCKS = ("body", "handlers", "orelse", "finalbody")
NOTHING = cst.SimpleStatementSuite((cst.Pass(),))


class Positions:
    """First and last offsets of the nodes of one parsed text, found when somebody asks."""

    def __init__(
        self,
        module: cst.Module,
        text: str,
        starts: Sequence[int],
        parent: Callable[[cst.CSTNode], cst.CSTNode | None],
        listed: Callable[[UnionType], Sequence[cst.CSTNode]],
    ) -> None:
        self._module, self._text, self._starts, self._parent, self._listed = module, text, starts, parent, listed
        self._ranges: dict[int, Range] = {}  # by the node's id

    def range(self, node: cst.CSTNode) -> Range:
        """Where the node begins, and where it has ended.  Raises RecursionError where libcst nests too deeply."""
        if id(node) not in self._ranges and not self._find(node):
            self._write_all()
        return self._ranges[id(node)]

    def start(self, node: cst.CSTNode) -> int:
        """An offset on the line on which the node begins: cheaper, and enough to tell the line."""
        around = self._around(node) if id(node) not in self._ranges else None
        if around is not None and around is not node and self._is_on_one_line(around):
            return self._known[id(around)][0]
        return self.range(node)[0]

    def _is_on_one_line(self, node: Statement) -> bool:
        """Whether the statement, of a compound one the head, surely ends on the line on which it begins."""
        first, last = self._known[id(node)]
        if isinstance(node, cst.BaseSmallStatement):
            return self._number(first) == self._number(last)
        block = node.body.body[0] if isinstance(node, (cst.If, cst.While, cst.For, cst.With)) else None
        inner = block.body[0] if isinstance(block, cst.SimpleStatementLine) else block
        known = self._known.get(id(inner))
        return known is not None and self._number(known[0]) <= self._number(first) + 1

    def _number(self, offset: int) -> int:
        return bisect_right(self._starts, offset)

    def _find(self, node: cst.CSTNode) -> bool:
        """Looks at no more of the text than it takes; whether that was enough."""
        if isinstance(node, (cst.SimpleStatementLine, cst.BaseSuite)):
            bounds: tuple[cst.CSTNode, cst.CSTNode] = node.body[0], node.body[-1]
        elif isinstance(node, Statement) and id(node) in self._known:
            bounds = node, _last(node)
        else:
            around = self._around(node)
            return around is not None and self._write(around) and id(node) in self._ranges
        first, last = bounds
        if last is node:
            self._ranges[id(node)] = self._known[id(node)]
        else:
            begun = self._known[id(node)] if first is node else self.range(first)
            self._ranges[id(node)] = begun[0], self.range(last)[1]
        return True

    def _around(self, node: cst.CSTNode | None) -> Statement | None:
        """The innermost statement that the node is part of; None within blocks and where `ast` tells nothing."""
        while node is not None and id(node) not in self._known:
            if isinstance(node, (cst.BaseSuite, cst.MatchCase, cst.Else, cst.Finally)):
                return None
            node = self._parent(node)
        return node if isinstance(node, Statement) else None

    @cached_property
    def _known(self) -> dict[int, Range]:
        """Where statements stand, by their `id`; nothing if `ast` and libcst do not see the same ones."""
        try:
            told = statements(self._text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return {}
        nodes = self._listed(Statement)  # as `index.statements` lists them
        if len(nodes) != len(told):
            return {}
        return {id(node): self._extent(one) for node, one in zip(nodes, told, strict=True)}

    def _extent(self, told: Extent) -> Range:
        return self._offset(told.line, told.offset), self._offset(told.end_line, told.end_offset)

    def _offset(self, line: int, offset: int) -> int:
        start = self._starts[line - 1]
        if self._is_ascii:
            return start + offset
        text = self._text[start : self._starts[line] if line < len(self._starts) else None]
        return start + len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "surrogatepass"))

    @cached_property
    def _is_ascii(self) -> bool:
        return self._text.isascii()

    def _write(self, node: Statement) -> bool:
        """Writes out the statement, or its head; whether it came to stand where `ast` says."""
        first, last = self._known[id(node)]
        head = _head(node)
        state = _Offsets(self._module.default_indent, self._module.default_newline, PositionProvider())
        state.increase_indent(self._indent(first))
        if isinstance(head, cst.If) and isinstance(outer := self._parent(node), cst.If) and outer.orelse is node:
            head._codegen(state, is_elif=True)
        else:
            head._codegen(state)
        begun, ended = state.ranges[id(head)]
        if head is node and first + ended - begun != last:
            return False
        moved = first - begun
        del state.ranges[id(head)]  # of a copy that is gone soon
        for name, (start, end) in state.ranges.items():
            self._ranges[name] = start + moved, end + moved
        self._ranges[id(node)] = first, last if head is node else self.range(node)[1]
        return True

    def _indent(self, offset: int) -> str:
        line = self._text[self._starts[self._number(offset) - 1] : offset]
        return line[: len(line) - len(line.lstrip())]

    def _write_all(self) -> None:
        state = _Offsets(self._module.default_indent, self._module.default_newline, PositionProvider())
        self._module._codegen(state)
        self._ranges = state.ranges


def _last(node: Statement) -> cst.CSTNode:
    """The block or statement with which the statement ends: itself, where there is none in it."""
    for name in ("finalbody", "orelse", "handlers", "cases", "body"):
        inner = getattr(node, name, None)
        last = inner if isinstance(inner, cst.CSTNode) else inner[-1] if inner else None
        if isinstance(last, (cst.Else, cst.Finally, cst.MatchCase)):
            return last.body
        if isinstance(last, cst.CSTNode):
            return last
    return node


def _head(node: Statement) -> Statement:
    """The statement without the blocks in it; its other parts are the same objects."""
    if isinstance(node, (cst.BaseSmallStatement, cst.Try, cst.TryStar)):
        return node
    blocks: dict[str, object] = {}
    for name in BLOCKS:
        block = getattr(node, name, None)
        if isinstance(block, cst.IndentedBlock):
            blocks[name] = NOTHING
        elif block is not None and name != "body":
            blocks[name] = () if name == "handlers" else None
    return node.with_changes(**blocks)


class _Offsets(PositionProvidingCodegenState):
    """Counts characters instead of collecting them."""

    def __init__(self, indent: str, newline: str, provider: PositionProvider) -> None:
        super().__init__(default_indent=indent, default_newline=newline, provider=provider)
        self.ranges: dict[int, Range] = {}
        self.offset = 0
        self.begun: list[int] = []

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.offset += len(token)

    def add_token(self, value: str) -> None:
        self.offset += len(value)

    def pop_trailing_newline(self) -> None:
        """The last newline may count: nothing stands behind it."""

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.begun.append(self.offset)

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self.begun.pop()
        if id(node) not in self.ranges:
            self.ranges[id(node)] = (start, self.offset)

    @contextmanager
    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> Iterator[None]:
        begun = self.offset
        yield
        start = begun if start_node is None else self.ranges[id(start_node)][0]
        end = self.offset if end_node is None else self.ranges[id(end_node)][1]
        self.ranges[id(node)] = (start, end)
