"""What goes into the cache comes out equal, and damaged data is only ever a ValueError."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from enum import Enum, IntFlag
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclint.model import Diagnostic, Edit, Failure, Finding, Fix, Note, Place, Result, Safety, Span
from conclint.serial import Codec


class Colour(Enum):
    RED = "red"


class Bits(IntFlag):
    A = 1
    B = 2


class Pair(NamedTuple):
    left: int
    right: str | None


@dataclass(frozen=True)
class Leaf:
    """One field only."""

    pair: Pair


@dataclass(frozen=True)
class Empty:
    """No field."""


@dataclass(frozen=True)
class Tree:
    """Every kind of hint, and itself."""

    colour: Colour
    bits: Bits
    names: frozenset[str] = frozenset()
    table: dict[str, tuple[int, ...]] = field(default_factory=dict)
    keyed: dict[tuple[int, str], Leaf] = field(default_factory=dict)
    either: Leaf | Pair | Empty | None = None
    below: tuple[Tree, ...] = ()
    share: float = 0.5
    flag: bool = False


TREE = Tree(
    Colour.RED,
    Bits.A | Bits.B,
    frozenset({"b", "a"}),
    {"x": (1, 2)},
    {(1, "k"): Leaf(Pair(1, "\ud800ü"))},
    Leaf(Pair(2, None)),
    (Tree(Colour.RED, Bits(0), either=Pair(1, "x")), Tree(Colour.RED, Bits.A, either=Empty(), share=1)),
)


def test_values_come_back_equal() -> None:
    assert Codec(Tree).loads(Codec(Tree).dumps(TREE)) == TREE


def test_a_set_is_written_in_one_order() -> None:
    one, other = frozenset(map(str, range(50))), frozenset(map(str, reversed(range(50))))
    assert Codec(Tree).dumps(Tree(Colour.RED, Bits.A, one)) == Codec(Tree).dumps(Tree(Colour.RED, Bits.A, other))


def test_a_result_comes_back_equal() -> None:
    place = Place("a.py", Span(1, 2, 3, 4))
    finding = Finding(place, "m", (Note(place, "n"),), Fix("t", (Edit(Span(1, 1, 1, 1), "x"),), Safety.SAFE))
    result = Result((Diagnostic("CON101", "name", finding),), (Failure("b.py", "CON102", "ValueError: no"),), 3)
    assert Codec(Result).loads(Codec(Result).dumps(result)) == result


@given(st.recursive(st.none() | st.integers() | st.text() | st.floats() | st.booleans(), st.lists, max_leaves=20))
def test_foreign_json_is_a_value_error(value: object) -> None:
    with pytest.raises(ValueError):
        Codec(Tree).loads(json.dumps(value).encode())


@given(st.integers(0, 300), st.sampled_from([b"", b"0", b"[", b'"', b"null", b"\xff"]))
def test_damage_is_a_value_error_or_harmless(at: int, patch: bytes) -> None:
    data = Codec(Tree).dumps(TREE)
    with contextlib.suppress(ValueError):
        Codec(Tree).loads(data[:at] + patch + data[at + 1 :])


@pytest.mark.parametrize("data", [b"", b"[" * 100_000, b"\xff\xfe", b'{"a": 1}', b"NaN"])
def test_no_json_at_all_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        Codec(Tree).loads(data)


def test_a_type_without_json_form_is_our_own_mistake() -> None:
    with pytest.raises(TypeError):
        Codec(bytes)
