"""`conclint` and `python -m conclint`: the process around the command, its ends included."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130  # 128 + SIGINT, as shells count


def run() -> None:
    """Runs the command and leaves with its status; an interrupt ends quietly, at any moment."""
    try:
        status = _status()
    except KeyboardInterrupt:
        status = INTERRUPTED
        _leave_at_once(status)
    sys.exit(status)


def _status() -> int:
    from conclint.cli import main

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # file names and sources hold what a terminal cannot show
    return main(sys.argv[1:])


def _leave_at_once(status: int) -> None:
    """Without the interpreter's farewell, which would wait for workers and print what interrupted it."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


if __name__ == "__main__":
    run()
