"""Lines to people and pipes.  A reader who has seen enough closes the pipe: that ends the output, not the run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import IO

from conclint.report import printable


def say(lines: Iterable[str], stream: IO[str] | None = None) -> None:
    stream = stream or sys.stdout
    try:
        for line in lines:
            stream.write(f"{line}\n")
        stream.flush()
    except BrokenPipeError:
        _close(stream)


def say_bytes(data: bytes) -> None:
    """`data` to standard output as it is: a source file in its own encoding."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _close(sys.stdout)


def complain(lines: Iterable[str]) -> None:
    """Lines to standard error, under the program's name."""
    say((f"conclint: {printable(line)}" for line in lines), sys.stderr)


def _close(stream: IO[str]) -> None:
    """Whatever is still written goes nowhere, the interpreter's own last flush included."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
