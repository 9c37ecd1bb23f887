"""Prints the seconds that the flake8 plugin adds for one file, in a process that has all of flake8 loaded already."""

from __future__ import annotations

import ast
import sys
import time
import tokenize


def main(path: str) -> None:
    with tokenize.open(path) as source:
        lines = source.readlines()
    tree = ast.parse("".join(lines))
    began = time.perf_counter()
    from conclint.flake8_plugin import Plugin

    list(Plugin(tree, path, lines).run())
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(sys.argv[1])
