"""Prints the seconds that the flake8 plugin adds for one file, in a process that has all of flake8 loaded already."""

from __future__ import annotations

import ast
import gc
import sys
import time
import tokenize
from importlib import import_module

FLAKE8 = ("flake8.main.application", "flake8.plugins.pycodestyle", "flake8.plugins.pyflakes")


def main(path: str) -> None:
    for name in FLAKE8:
        import_module(name)
    with tokenize.open(path) as source:
        lines = source.readlines()
    tree = ast.parse("".join(lines))
    gc.collect()  # else the garbage of flake8's own work is counted as ours
    began = time.perf_counter()
    from conclint.flake8_plugin import Plugin

    list(Plugin(tree, path, lines).run())
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(sys.argv[1])
