"""One region, parsed with libcst and walked once: its nodes by type, their parents, the names of its scopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.lazily import lazily
from conclint.model import Span

lazily("libcst")

import libcst as cst  # noqa: E402

if TYPE_CHECKING:
    from libcst.metadata import CodeRange

# What carries no meaning: white space, punctuation.
MEANINGLESS = frozenset(
    "lpar rpar comma semicolon colon equal dot lbracket rbracket lbrace rbrace header footer leading_lines "
    "lines_after_decorators indent default_indent encoding has_trailing_newline star newline".split()
)


class Walked(NamedTuple):
    """What one walk over a region remembers."""

    kinds: dict[type[cst.CSTNode], list[cst.CSTNode]]
    parents: dict[cst.CSTNode, cst.CSTNode]
    sequence: dict[cst.CSTNode, int]


class Region:
    """A run of top-level statements, or the chosen pieces of a class, parsed as a module of their own."""

    def __init__(self, lines: Sequence[str], pieces: Sequence[tuple[int, int]]) -> None:
        self._lines = [line for first, last in pieces for line in range(first, last + 1)]
        self.text = "".join(lines[line - 1] + "\n" for line in self._lines)
        self.module = cst.parse_module(self.text)

    @cached_property
    def _walked(self) -> Walked:
        return _walk(self.module)

    @property
    def parents(self) -> dict[cst.CSTNode, cst.CSTNode]:
        return self._walked.parents

    @property
    def sequence(self) -> dict[cst.CSTNode, int]:
        """The place of every node in the order of the text."""
        return self._walked.sequence

    def all(self, kind: type[cst.CSTNode]) -> list[cst.CSTNode]:
        """The nodes of exactly this type, in the order of the text."""
        return self._walked.kinds.get(kind, [])

    @cached_property
    def _ranges(self) -> Mapping[cst.CSTNode, CodeRange]:
        from libcst.metadata import MetadataWrapper, PositionProvider

        return MetadataWrapper(self.module, unsafe_skip_copy=True).resolve(PositionProvider)

    def span(self, node: cst.CSTNode) -> Span:
        """Where the node stands in the file.  The first question costs twice the parse of the region."""
        at = self._ranges[node]
        return Span(self.line(at.start.line), at.start.column + 1, self.line(at.end.line), at.end.column + 1)

    def line(self, number: int) -> int:
        """The line of the file on which a line of the region's text stands."""
        return self._lines[number - 1] if number <= len(self._lines) else self._lines[-1] + 1


_children: dict[type[cst.CSTNode], tuple[str, ...]] = {}


def child_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """The fields of a node type that can hold other nodes."""
    known = _children.get(kind)
    if known is None:
        names = (field.name for field in fields(kind))
        known = tuple(name for name in names if name not in MEANINGLESS and not name.startswith("whitespace"))
        _children[kind] = known
    return known


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The nodes directly below, without white space and punctuation."""
    found: list[cst.CSTNode] = []
    for name in child_fields(type(node)):
        value = getattr(node, name)
        if value.__class__ is tuple or value.__class__ is list:
            found += [item for item in value if is_node(item.__class__)]
        elif is_node(value.__class__):
            found.append(value)
    return found


@cache
def is_node(kind: type[object]) -> bool:
    """Whether objects of the type are nodes; `isinstance` asks an abstract class, which is slow."""
    return issubclass(kind, cst.CSTNode)


def below(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The node and everything below it, in the order of the text."""
    stack = [node]
    while stack:
        one = stack.pop()
        yield one
        inner = children(one)
        inner.reverse()
        stack += inner


def _walk(module: cst.Module) -> Walked:
    found = Walked({}, {}, {})
    stack: list[cst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        found.sequence[node] = len(found.sequence)
        found.kinds.setdefault(type(node), []).append(node)
        inner = children(node)
        for child in inner:
            found.parents[child] = node
        inner.reverse()
        stack += inner
    return found
