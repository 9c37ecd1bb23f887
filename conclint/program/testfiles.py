"""Which files hold tests, and which only serve them."""

from __future__ import annotations

import re
from functools import lru_cache

TEST = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_tests?|conftest|testing)\.py$")
BESIDE = re.compile(r"(?:^|/)(?:tests?|testing)/")
EXAMPLES = re.compile(r"(?:^|/)(?:examples?|samples?|tutorials?|docs?|benchmarks?)/")


def for_show(path: str) -> bool:
    """Whether the file is an example for readers, or measures something for those who develop the rest."""
    return EXAMPLES.search(path) is not None


def is_test(path: str) -> bool:
    """Whether the file holds tests."""
    return TEST.search(path) is not None


def only_tests(path: str, evidence: str) -> bool:
    """Whether what the file `evidence` shows of code in the file `path` is shown by tests alone."""
    return among_tests(evidence) and not among_tests(path)


@lru_cache(maxsize=4096)
def among_tests(path: str) -> bool:
    """Whether the file holds tests or stands beside them."""
    return is_test(path) or BESIDE.search(path) is not None
