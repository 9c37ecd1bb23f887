"""Lines to people and pipes.

A reader who has seen enough closes the pipe: that ends the output, not the run, and its status stands.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO

from conclint.report import printable


class Unwritable(Exception):
    """The output got lost: a full disk, say."""


def say(lines: Iterable[str], stream: IO[str] | None = None) -> None:
    stream = stream or sys.stdout
    with _surviving(stream):
        for line in lines:
            stream.write(f"{line}\n")
        stream.flush()


def say_bytes(data: bytes) -> None:
    """`data` to standard output as it is: a source file in its own encoding."""
    with _surviving(sys.stdout):
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def complain(lines: Iterable[str]) -> None:
    """Lines to standard error, under the program's name."""
    say((f"conclint: {printable(line)}" for line in lines), sys.stderr)


@contextmanager
def _surviving(stream: IO[str]) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        _close(stream)
    except OSError as error:
        _close(stream)
        if stream is not sys.stderr:
            raise Unwritable(f"the output cannot be written: {error.strerror}") from None


def _close(stream: IO[str]) -> None:
    """Whatever is still written goes nowhere, the interpreter's own last flush included."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
