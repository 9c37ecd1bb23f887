"""Bytes to text and back, the way Python itself reads a source file.

A file's text keeps its newlines as they are, mixed ones too: a fix changes nothing but what it mends.  Lines end
where Python's tokenizer ends them: at `\\n`, `\\r\\n` and `\\r`, never at a form feed or a Unicode separator.
"""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property
from typing import Final

NEWLINE: Final = re.compile(r"\r\n|\r|\n")
FIRST_LINES: Final = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
WIDE_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class Unreadable(Exception):
    """These bytes are no Python source; `line` and `column` say where that shows."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(line, column, message)
        self.line = line
        self.column = column
        self.message = message

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Text:
    """One file, decoded; the byte order mark is remembered and not part of `text`."""

    text: str
    encoding: str = "utf-8"
    bom: bool = False

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends."""
        lines = NEWLINE.split(self.text) if "\r" in self.text else self.text.split("\n")
        if not lines[-1]:
            lines.pop()
        return tuple(lines)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where in `text` each line begins; after a final newline also the empty line that follows."""
        return (0, *(match.end() for match in NEWLINE.finditer(self.text)))

    @cached_property
    def newline(self) -> str:
        """The newline that most lines end with."""
        both = self.text.count("\r\n")
        counts = {"\n": self.text.count("\n") - both, "\r\n": both, "\r": self.text.count("\r") - both}
        return max(counts, key=lambda newline: counts[newline])

    def offset(self, line: int, column: int) -> int:
        """Where in `text` a place is that is counted from 1; ValueError if the text has no such place."""
        if not 1 <= line <= len(self.starts) or column < 1:
            raise ValueError(f"no line {line}, column {column}")
        found = self.starts[line - 1] + column - 1
        if found > (self.starts[line] if line < len(self.starts) else len(self.text)):
            raise ValueError(f"line {line} has no column {column}")
        return found


def decode(data: bytes) -> Text:
    """The text of a source file; `Unreadable` where Python could not read it either."""
    _refuse_wide(data)
    encoding, bom = _encoding(data)
    body = data[len(codecs.BOM_UTF8) :] if bom else data
    null = body.find(b"\0")
    if null >= 0:
        raise _at(body[:null], encoding, "the file holds a null byte, which Python source may not")
    try:
        return Text(body.decode(encoding), encoding, bom)
    except UnicodeDecodeError as error:
        message = f"byte 0x{body[error.start]:02x} is not {encoding}; declare the file's encoding or save it as UTF-8"
        raise _at(body[: error.start], encoding, message) from None
    except (LookupError, ValueError) as error:
        raise Unreadable(1, 1, f"cannot decode the file as {encoding}: {error}") from None


def encode(text: str, like: Text) -> bytes:
    """`text` in the encoding of `like`, with its byte order mark; ValueError where that encoding lacks a character."""
    data = text.encode(like.encoding)
    return codecs.BOM_UTF8 + data if like.bom else data


def _refuse_wide(data: bytes) -> None:
    for mark, name in WIDE_MARKS:
        if data.startswith(mark):
            raise Unreadable(1, 1, f"the file is {name}, which Python does not read; save it as UTF-8")


def _encoding(data: bytes) -> tuple[str, bool]:
    # tokenize knows only `\n` as the end of a line; the declaration stands in the first two lines, however they end.
    first = FIRST_LINES.match(data)
    second = FIRST_LINES.match(data, first.end()) if first else None
    heads = [match.group().rstrip(b"\r\n") + b"\n" for match in (first, second) if match]
    try:
        name, _ = tokenize.detect_encoding(io.BytesIO(b"".join(heads)).readline)
    except SyntaxError as error:
        raise _undeclared(heads, str(error.msg)) from None
    if name == "utf-8-sig":
        return "utf-8", True
    return _ascii_compatible(name), False


def _undeclared(heads: list[bytes], message: str) -> Unreadable:
    for number, head in enumerate(heads, 1):
        try:
            head.decode("utf-8")
        except UnicodeDecodeError as error:
            if not message.startswith("unknown"):
                text = f"byte 0x{head[error.start]:02x} is not utf-8; declare the file's encoding or save it as UTF-8"
                return _at(b"\n" * (number - 1) + head[: error.start], "utf-8", text)
    line = next((number for number, head in enumerate(heads, 1) if b"coding" in head), 1)
    return Unreadable(line, 1, f"{message}; declare an encoding that Python knows or save the file as UTF-8")


def _ascii_compatible(name: str) -> str:
    if name == "utf-8":
        return name
    try:
        if b"# coding".decode(name) == "# coding":
            return name
    except (LookupError, ValueError):
        pass
    raise Unreadable(1, 1, f"the declared encoding {name} cannot hold Python source; save the file as UTF-8")


def _at(before: bytes, encoding: str, message: str) -> Unreadable:
    """An `Unreadable` at the place that follows `before`."""
    try:
        lines = NEWLINE.split(before.decode(encoding, "replace"))
    except (LookupError, ValueError):
        lines = NEWLINE.split(before.decode("latin-1"))
    return Unreadable(len(lines), len(lines[-1]) + 1, message)
