"""One region, parsed with libcst and walked once: its nodes by type, their parents, the names of its scopes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from functools import cache, cached_property
from types import UnionType
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from conclint.lazily import lazily
from conclint.model import Span
from conclint.source.evened import evened
from conclint.text import NEWLINE

lazily("libcst")

import libcst as cst  # noqa: E402

if TYPE_CHECKING:
    from conclint.source.positions import Positions

# What carries no meaning: white space, punctuation.
MEANINGLESS = frozenset(
    {
        *("lpar", "rpar", "lbracket", "rbracket", "lbrace", "rbrace", "comma", "semicolon", "colon", "equal", "dot"),
        *("header", "footer", "leading_lines", "lines_after_decorators", "indent", "default_indent", "newline"),
        *("star", "encoding", "has_trailing_newline", "leading_whitespace", "trailing_whitespace"),
    }
)

# Types of fields that never hold a node.
PLAIN = (str, bool, str | None)


N = TypeVar("N", bound=cst.CSTNode)

Function = cst.FunctionDef | cst.Lambda
FUNCTIONS = frozenset({cst.FunctionDef, cst.Lambda})


class TooDeep(Exception):
    """The region nests so deeply that libcst cannot tell where its nodes stand."""


class Walked(NamedTuple):
    """What one walk over a region remembers; parents and sequence by the node's `id`, since nodes hash slowly."""

    kinds: dict[type[cst.CSTNode], list[cst.CSTNode]]
    parents: dict[int, cst.CSTNode]
    sequence: dict[int, int]
    above: list[int]  # the sequence of each node's parent, by the node's own
    around: list[cst.CSTNode | None]  # by the same: the function in whose body it stands


class Region:
    """A run of top-level statements, or the chosen pieces of a class, parsed as a module of their own."""

    def __init__(self, lines: Sequence[str], pieces: Sequence[tuple[int, int]]) -> None:
        self._lines = [line for first, last in pieces for line in range(first, last + 1)]
        self.text = "".join(lines[line - 1] + "\n" for line in self._lines)
        try:
            self.module = _parsed(self.text)
        except cst.ParserSyntaxError:
            self.text = evened(self.text)
            if not self.text:
                raise
            self.module = _parsed(self.text)
        self._by_kind: dict[type[cst.CSTNode], list[int]] = {}

    @cached_property
    def _walked(self) -> Walked:
        return _walk(self.module)

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        return self._walked.parents.get(id(node))

    def sequence(self, node: cst.CSTNode) -> int:
        """The place of the node in the order of the text."""
        return self._walked.sequence[id(node)]

    def around(self, node: cst.CSTNode) -> Function | None:
        """The function in whose body the node stands; decorators and defaults belong to the function around."""
        around = self._walked.around[self._walked.sequence[id(node)]]
        return around if isinstance(around, (cst.FunctionDef, cst.Lambda)) else None

    @property
    def ids(self) -> Iterable[int]:
        """The `id` of every node."""
        return self._walked.sequence.keys()

    def __contains__(self, node: cst.CSTNode) -> bool:
        return id(node) in self._walked.sequence

    def all(self, kind: type[N]) -> list[N]:
        """The nodes of exactly this type, in the order of the text."""
        return cast("list[N]", self._walked.kinds.get(kind, []))

    def of(self, kinds: UnionType) -> list[cst.CSTNode]:
        """The nodes of these types and of those derived from them, in the order of the text."""
        found = [one for kind, nodes in self._walked.kinds.items() if issubclass(kind, kinds) for one in nodes]
        found.sort(key=self.sequence)
        return found

    def inside(self, node: cst.CSTNode, kind: type[N]) -> list[N]:
        """The nodes of exactly this type at the node and below it, found by their places in the order."""
        first = self._walked.sequence[id(node)]
        places, nodes = self._places(kind), self.all(kind)
        return nodes[bisect_left(places, first) : bisect_left(places, first + self._sizes[first])]

    def _places(self, kind: type[cst.CSTNode]) -> list[int]:
        known = self._by_kind.get(kind)
        if known is None:
            sequence = self._walked.sequence
            known = self._by_kind[kind] = [sequence[id(node)] for node in self.all(kind)]
        return known

    @cached_property
    def _sizes(self) -> list[int]:
        """How many nodes there are at and below each one, by its sequence."""
        above = self._walked.above
        sizes = [1] * len(above)
        for place in range(len(above) - 1, 0, -1):
            sizes[above[place]] += sizes[place]
        return sizes

    @cached_property
    def _positions(self) -> Positions:
        from conclint.source.positions import Positions

        return Positions(self.module, self.text, self._starts, self.parent, self.of)

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line of the region's text begins."""
        return [0, *(match.end() for match in NEWLINE.finditer(self.text))]

    def span(self, node: cst.CSTNode) -> Span:
        """Where the node stands in the file."""
        try:
            first, last = self._positions.range(node)
        except RecursionError as error:
            raise TooDeep from error
        line, column = self._at(first)
        end_line, end_column = self._at(last)
        return Span(line, column, end_line, end_column)

    def first_line(self, node: cst.CSTNode) -> int:
        """The line of the file on which the node begins."""
        try:
            return self._at(self._positions.start(node))[0]
        except RecursionError as error:
            raise TooDeep from error

    def _at(self, offset: int) -> tuple[int, int]:
        number = bisect_right(self._starts, offset)
        return self.line(number), offset - self._starts[number - 1] + 1

    def line(self, number: int) -> int:
        """The line of the file on which a line of the region's text stands."""
        return self._lines[number - 1] if number <= len(self._lines) else self._lines[-1] + 1


VALIDATION = "__post_init__"


def _parsed(text: str) -> cst.Module:
    """The text's tree.

    What libcst's own parser makes is not validated node by node, as new nodes are: that took a sixth of the time.
    """
    validate = cst.CSTNode.__post_init__
    setattr(cst.CSTNode, VALIDATION, _trust)
    try:
        return cst.parse_module(text)
    finally:
        setattr(cst.CSTNode, VALIDATION, validate)


def _trust(node: cst.CSTNode) -> None:
    """Nothing to validate."""


_children: dict[type[cst.CSTNode], tuple[str, ...]] = {}


def child_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """The fields of a node type that can hold other nodes."""
    known = _children.get(kind)
    if known is None:
        names = (field.name for field in fields(kind) if field.type not in PLAIN)
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
    found = Walked({}, {}, {}, [], [])
    kinds, parents, sequence, above, functions = found
    stack: list[tuple[cst.CSTNode, int, cst.CSTNode | None]] = [(module, 0, None)]
    while stack:
        node, outer, around = stack.pop()
        place = len(above)
        sequence[id(node)] = place
        above.append(outer)
        functions.append(around)
        kinds.setdefault(node.__class__, []).append(node)
        inner = children(node)
        inner.reverse()
        body = getattr(node, "body", None) if node.__class__ in FUNCTIONS else None
        for child in inner:
            parents[id(child)] = node
            stack.append((child, place, node if child is body else around))
    return found
