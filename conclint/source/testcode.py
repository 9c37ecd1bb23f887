"""Which code is a test: what is odd elsewhere is done there on purpose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from conclint.source.source import Source

TEST_FILE = re.compile(r"(^|/)([a-z]+_)?(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_tests?|tests?|conftest)\.py$")


def in_test(source: Source, node: cst.CSTNode) -> bool:
    """Whether the node stands in a file of tests, a test function or a test class."""
    if TEST_FILE.search(source.path):
        return True
    for outer in source.ancestors(node):
        if isinstance(outer, cst.FunctionDef) and outer.name.value.startswith("test_"):
            return True
        if isinstance(outer, cst.ClassDef) and any(
            source.code(base.value).endswith("TestCase") for base in outer.bases
        ):
            return True
    return False
