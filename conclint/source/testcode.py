"""Which code is a test: what is odd elsewhere is done there on purpose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from conclint.source.source import Source

TEST_FILE = re.compile(r"(^|/)([a-z]+_)?(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_tests?|tests?|conftest)\.py$")


# with self.assertRaises(TypeError): …     with pytest.warns(DeprecationWarning): …
EXPECTS = re.compile(r"(^|\.)(raises|warns|deprecated_call|assert(Raises|Warns)\w*|check_warnings|catch_warnings)$")


def expects_trouble(source: Source, node: cst.CSTNode) -> bool:
    """Whether the code around the node waits for it to raise or to warn."""
    for outer in source.ancestors(node):
        if isinstance(outer, cst.With):
            calls = (item.item for item in outer.items if isinstance(item.item, cst.Call))
            if any(EXPECTS.search(source.code(call.func)) for call in calls):
                return True
        if isinstance(outer, cst.FunctionDef):
            return False
    return False


def forgives(source: Source, node: cst.CSTNode, *errors: str) -> bool:
    """Whether the function catches what the node may raise: one of the errors, or everything."""
    child = node
    for outer in source.ancestors(node):
        if isinstance(outer, cst.Try) and child is outer.body:
            caught = (source.code(one.type) if one.type is not None else "Exception" for one in outer.handlers)
            if any(name in types for types in caught for name in (*errors, "Exception")):
                return True
        if isinstance(outer, cst.With) and "suppress(" in "".join(source.code(item) for item in outer.items):
            return True
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            return False
        child = outer
    return False


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
