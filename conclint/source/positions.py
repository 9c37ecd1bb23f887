"""Where nodes stand: offsets into a region's text, gathered while libcst writes the text out again.

libcst's own provider visits the tree once more, splits every token at line ends and makes three objects for each node;
offsets alone cost a third of that.  What counts as a node's own text (`record_syntactic_position`) is libcst's choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import libcst as cst
from libcst.metadata.position_provider import PositionProvider, PositionProvidingCodegenState

Range = tuple[int, int]


def offsets(module: cst.Module) -> dict[int, Range]:
    """First and last offset of every node of the module, by the node's `id`."""
    state = _Offsets(module.default_indent, module.default_newline, PositionProvider())
    module._codegen(state)
    return state.ranges


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
