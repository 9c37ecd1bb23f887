"""Reading bytes as Python does, and giving them back unchanged."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclint.text import Text, Unreadable, decode, encode


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x = 1",
        b"x = 1\n",
        b"a\r\nb\rc\nd",
        b"\xef\xbb\xbfx = 1\r\n",
        b"# coding: latin-1\ns = '\xe9'\n",
        b"#!/bin/python\r# -*- coding: cp1252 -*-\rs = '\x80'\r",
        "s = 'ü\u2028'\x0c\x1c\n".encode(),
    ],
)
def test_unchanged_text_gives_back_the_same_bytes(data: bytes) -> None:
    text = decode(data)
    assert encode(text.text, text) == data


@given(st.lists(st.sampled_from(["a", "é", "\r", "\n", "\r\n", "\x0c", "\u2028", "\x1c"])))
def test_any_mixture_of_newlines_survives(parts: list[str]) -> None:
    data = "".join(parts).encode()
    text = decode(data)
    assert encode(text.text, text) == data
    assert "".join(text.lines) == "".join(parts).replace("\r", "").replace("\n", "")


def test_lines_end_at_newlines_only() -> None:
    assert decode(b"a\x0cb\x1cc\nd\r\ne\rf").lines == ("a\x0cb\x1cc", "d", "e", "f")
    assert decode("a\u2028b\x85c\n".encode()).lines == ("a\u2028b\x85c",)
    assert decode(b"").lines == ()
    assert decode(b"\n\n").lines == ("", "")


def test_newline_is_the_one_most_lines_end_with() -> None:
    assert decode(b"").newline == "\n"
    assert decode(b"a\r\nb\r\nc\n").newline == "\r\n"
    assert decode(b"a\rb\r").newline == "\r"


def test_a_mark_is_remembered_and_not_part_of_the_text() -> None:
    text = decode(b"\xef\xbb\xbfx\n")
    assert (text.text, text.encoding, text.bom) == ("x\n", "utf-8", True)


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        ("x = 1\n".encode("utf-16"), 1, 1, "UTF-16"),
        ("x = 1\n".encode("utf-32"), 1, 1, "UTF-32"),
        (b"x = 1\ny = \0\n", 2, 5, "null byte"),
        (b"x\0 = 1\n# \xff\n", 1, 2, "null byte"),
        (b"\xff\n", 1, 1, "0xff is not utf-8"),
        (b"a = 1\rb = '\xe9'\r", 2, 6, "0xe9 is not utf-8"),
        ("s = 'é".encode() + b"\xff'\n", 1, 7, "0xff is not utf-8"),
        (b"\n\n\n  '\xff'", 4, 4, "0xff is not utf-8"),
        (b"\n# coding: klingon\n", 2, 1, "unknown encoding: klingon"),
        (b"# coding: utf-16\nx = 1\n", 1, 1, "cannot hold Python source"),
        (b"# coding: rot13\nk = 1\n", 1, 1, "cannot hold Python source"),
        (b"# coding: zlib\nk = 1\n", 1, 1, "cannot hold Python source"),
        (b"# coding: ascii\n# \xe9\n", 2, 3, "0xe9 is not ascii"),
        (b"\xef\xbb\xbf# coding: latin-1\n", 1, 1, "encoding problem"),
    ],
)
def test_what_python_cannot_read_says_where_and_why(data: bytes, line: int, column: int, message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(data)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert message in str(caught.value)


@given(st.binary(max_size=60) | st.binary(max_size=30).map(lambda tail: b"# coding: " + tail))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        text = decode(data)
    except Unreadable:
        return
    assert isinstance(text.text, str)


def test_places_and_offsets_agree() -> None:
    text = decode(b"ab\r\ncd\n")
    places = [(1, 1), (1, 3), (2, 1), (2, 3), (3, 1)]
    assert [text.offset(*place) for place in places] == [0, 2, 4, 6, 7]
    for line, column in [(0, 1), (1, 0), (4, 1), (3, 2), (1, 9)]:
        with pytest.raises(ValueError):
            text.offset(line, column)


def test_texts_and_errors_cross_processes() -> None:
    assert pickle.loads(pickle.dumps(Text("x", "utf-8", True))) == Text("x", "utf-8", True)
    error = pickle.loads(pickle.dumps(Unreadable(1, 2, "no")))
    assert (error.line, error.column, error.message) == (1, 2, "no")
