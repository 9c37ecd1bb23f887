"""`conclint` and `python -m conclint`: the process around the command, its ends included."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

NOT_DONE = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells count


def run() -> NoReturn:
    """Runs the command and leaves with its status; an interrupt ends quietly, at any moment."""
    gc.disable()  # the process is over before it would pay to look for garbage
    try:
        status = _status()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except Exception as error:  # ours, and not to be taken for findings, which a traceback's status 1 would say
        print(f"conclint: internal error: {type(error).__name__}: {error} ({_origin(error)})", file=sys.stderr)
        status = NOT_DONE
    _leave(status)


def _status() -> int:
    from conclint.cli import main

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # file names and sources hold what a terminal cannot show
    return main(sys.argv[1:])


def _origin(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"


def _leave(status: int) -> NoReturn:
    """Without the interpreter's farewell, which takes time and would print an interrupt that comes in its midst."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    run()
