"""Prints the CPU seconds that libcst's parser, inspect and the whole of a cold check took, in this one process."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import libcst

from conclint.discovery import discover
from conclint.engine import Unit, check, tasks
from conclint.globs import Globs
from conclint.knowledge import BUILTIN
from conclint.settings import Config

SPENT = {"parse": 0.0, "inspect": 0.0}


def timed(name: str, function: Callable[..., object]) -> Callable[..., object]:
    def wrapper(*arguments: object, **options: object) -> object:
        began = time.process_time()
        try:
            return function(*arguments, **options)
        finally:
            SPENT[name] += time.process_time() - began

    return wrapper


def main(folder: str) -> None:
    found = discover([folder], Globs(()))
    for name in ("parse_module", "parse_statement", "parse_expression"):
        setattr(libcst, name, timed("parse", getattr(libcst, name)))
    setattr(tasks, "inspect", timed("inspect", tasks.inspect))  # noqa: B010 -- a module's attribute, not its own to change
    began = time.process_time()
    check([Unit(path) for path in found.files], Config(select=("CON",), knowledge=BUILTIN), jobs=1)
    print(SPENT["parse"], SPENT["inspect"], time.process_time() - began)


if __name__ == "__main__":
    main(sys.argv[1])
