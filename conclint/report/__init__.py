"""What a run answers, in the format that someone asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from conclint.model import Result


@dataclass(frozen=True)
class Material:
    """All that a format may show.  `lines` gives the lines of a file by its shown path, none if it has none."""

    result: Result
    lines: Callable[[str], Sequence[str]]
    colour: bool = False


FORMATS = {"text": "text", "full": "full", "json": "json_", "sarif": "sarif", "github": "github"}
READ_BY_PEOPLE = frozenset({"text", "full"})
SHOW_FIXES = frozenset({"full", "json", "sarif"})


def render(name: str, material: Material) -> Iterator[str]:
    """The report in format `name`, line by line.  Only that format's module is imported."""
    module = import_module(f"conclint.report.{FORMATS[name]}")
    return cast("Callable[[Material], Iterator[str]]", module.lines)(material)


def printable(text: str) -> str:
    """`text` on one line and harmless to a terminal: control characters are spelled out."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\u00a0\u3000" else _spelled(char) for char in text)


def counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _spelled(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
