"""Which files hold tests."""

from __future__ import annotations

import re

TEST = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_tests?|conftest)\.py$")


def is_test(path: str) -> bool:
    """Whether the file holds tests, or what only tests use."""
    return TEST.search(path) is not None
