"""Frozen data to JSON and back, as its type hints say.

The cache must not unpickle what it finds on disk.  Records become arrays, so a changed shape needs a changed key; the
cache's version sees to that.  Data that does not fit its type is a ValueError, whatever is wrong with it.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Hashable, Sequence
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
Step = Callable[[object], object]

PLAIN = (str, int, bool, float)


class _Steps(NamedTuple):
    """How a type becomes JSON, and how it comes back; None where the value is its own JSON."""

    encode: Step | None
    decode: Step


class Codec(Generic[T]):
    """Reads and writes the values of one type."""

    def __init__(self, kind: type[T]) -> None:
        hint: object = kind
        assert isinstance(hint, Hashable)
        self._kind = kind
        self._steps = _steps(hint)

    def dumps(self, value: T) -> bytes:
        encode = self._steps.encode
        plain: object = value if encode is None else encode(value)
        return json.dumps(plain, separators=(",", ":")).encode("ascii")

    def loads(self, data: bytes) -> T:
        try:
            value = self._steps.decode(json.loads(data))
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(f"not a {self._kind.__name__}: {error}") from None
        if not isinstance(value, self._kind):
            raise ValueError(f"not a {self._kind.__name__}")
        return value


@cache
def _steps(hint: Hashable) -> _Steps:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in PLAIN or origin is typing.Literal:
        return _plain(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(arguments)
    if origin is tuple:
        return _many(_steps(arguments[0]), tuple) if arguments[-1] is Ellipsis else _fixed(arguments)
    if origin is frozenset:
        return _many(_steps(arguments[0]), frozenset)
    if origin is dict:
        return _dict(*arguments)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _Steps(_value, hint)
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, tuple)):
        return _record(hint)
    raise TypeError(f"no JSON form for {hint}")


def _value(value: object) -> object:
    return value.value if isinstance(value, Enum) else value


def _plain(hint: object) -> _Steps:
    allowed = (float, int) if hint is float else (hint,) if isinstance(hint, type) else (str, int)

    def decode(value: object) -> object:
        if type(value) not in allowed:
            raise ValueError(f"{type(value).__name__} where {hint} belongs")
        return value

    return _Steps(None, decode)


def _items(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    raise ValueError(f"{type(value).__name__} where an array belongs")


def _union(arguments: Sequence[object]) -> _Steps:
    """One choice is told by null; several carry their number."""
    kinds = [hint for hint in arguments if hint is not types.NoneType]
    if len(kinds) == 1:
        return _optional(_steps(kinds[0]))
    steps = [_steps(kind) for kind in kinds]
    classes = [typing.get_origin(kind) or kind for kind in kinds]

    def encode(value: object) -> object:
        if value is None:
            return None
        number = next(n for n, kind in enumerate(classes) if isinstance(kind, type) and type(value) is kind)
        inner = steps[number].encode
        return [number, value if inner is None else inner(value)]

    def decode(value: object) -> object:
        if value is None and len(kinds) < len(arguments):
            return None
        number, inner = _items(value)
        if not isinstance(number, int) or not 0 <= number < len(steps):
            raise ValueError(f"no choice {number}")
        return steps[number].decode(inner)

    return _Steps(encode, decode)


def _optional(inner: _Steps) -> _Steps:
    encode, decode = inner

    def encode_one(value: object) -> object:
        return None if value is None or encode is None else encode(value)

    def decode_one(value: object) -> object:
        return None if value is None else decode(value)

    return _Steps(None if encode is None else encode_one, decode_one)


def _many(item: _Steps, build: Callable[[list[object]], object]) -> _Steps:
    encode, decode = item
    ordered = build is frozenset

    def encode_all(values: object) -> object:
        assert isinstance(values, (tuple, frozenset))
        encoded: list[object] = list(values) if encode is None else [encode(value) for value in values]
        return sorted(encoded, key=repr) if ordered else encoded

    def decode_all(value: object) -> object:
        return build([decode(item) for item in _items(value)])

    return _Steps(None if encode is None and not ordered else encode_all, decode_all)


def _fixed(hints: Sequence[object]) -> _Steps:
    return _row([_steps(hint) for hint in hints], lambda value: value, lambda items: tuple(items))


def _row(steps: Sequence[_Steps], parts: Step, build: Callable[[list[object]], object]) -> _Steps:
    """A fixed number of values of different types; `parts` takes the whole apart."""
    decoders = [step.decode for step in steps]
    encoders = [(number, step.encode) for number, step in enumerate(steps) if step.encode]

    def encode(value: object) -> object:
        values = parts(value)
        assert isinstance(values, tuple)
        if not encoders:
            return values
        row: list[object] = list(values)
        for number, step in encoders:
            row[number] = step(row[number])
        return row

    def decode(value: object) -> object:
        items = _items(value)
        return build([step(item) for step, item in zip(decoders, items, strict=True)])

    return _Steps(encode, decode)


def _dict(key: object, value: object) -> _Steps:
    # As pairs: JSON's own objects know only strings as keys.
    encode_pairs, decode_pairs = _many(_fixed([key, value]), lambda items: items)

    def encode(value: object) -> object:
        assert isinstance(value, dict) and encode_pairs is not None
        return encode_pairs(tuple(value.items()))

    def decode(value: object) -> object:
        return dict(typing.cast("list[tuple[object, object]]", decode_pairs(value)))

    return _Steps(encode, decode)


def _record(kind: type[object]) -> _Steps:
    """A dataclass or named tuple; its fields are looked at on first use, since a record may hold its own kind."""

    @cache
    def row() -> _Steps:
        hints = typing.get_type_hints(kind)
        names = _fields(kind)
        return _row([_steps(hints[name]) for name in names], _parts(names), lambda items: kind(*items))

    def encode(value: object) -> object:
        step = row().encode
        return value if step is None else step(value)

    def decode(value: object) -> object:
        return row().decode(value)

    return _Steps(encode, decode)


def _parts(names: Sequence[str]) -> Step:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


def _fields(kind: type[object]) -> list[str]:
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind) if field.init]
    fields: object = vars(kind).get("_fields", ())
    return [str(name) for name in fields] if isinstance(fields, tuple) else []
