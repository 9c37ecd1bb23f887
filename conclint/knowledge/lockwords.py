"""What locks, and what holds one, are called in Python programs, where their types cannot be told."""

from __future__ import annotations

import re
from typing import Final

# Held by contract: what is called so expects its caller to hold the lock, whichever that is.
BY_CONTRACT: Final = re.compile(r"_(?:un)?locked$|^(?:un)?locked_|_with_lock$|_nolock$|_no_lock$|_lock_held$")

# What is called so lets in one at a time; a semaphore may let in several.
_MUTEX: Final = r"(?:^|_)(?:r?lock|mutex|cond|condition|cv|guard|critical)s?$|(?<![bc])lock(?:ed)?$"
_MUTEXES: Final = re.compile(_MUTEX, re.IGNORECASE)
_LOCKS: Final = re.compile(rf"{_MUTEX}|(?:^|_)(?:sem|semaphore)s?$", re.IGNORECASE)

# What is called so holds one while its block, or what it decorates, runs.
_SYNCHRONIZED: Final = re.compile(
    r"synchroni[sz]ed|(?:^|_)lock(?:ed|ing|s)?(?:_|$)|mutex|atomic|exclusive", re.IGNORECASE
)

# A lock that is called so guards whatever its owner has; any other name says what it is for.
FOR_ANYTHING: Final = re.compile(
    r"^_*(?:(?:state|data|thread|creation|internal|instance)_?)?(?:r?lock|mutex|guard)$", re.IGNORECASE
)


def is_mutex(name: str) -> bool:
    """Whether what is called so is a lock that lets in one at a time."""
    return _MUTEXES.search(name) is not None


def is_lock(name: str) -> bool:
    """Whether what is called so is a lock of any kind."""
    return _LOCKS.search(name) is not None


def holds_lock(name: str) -> bool:
    """Whether a decorator that is called so holds a lock, whichever it is."""
    return _SYNCHRONIZED.search(name) is not None


def gives_lock(name: str) -> bool:
    """Whether what a function called so gives is, or holds, a lock: `with self.read_lock():`."""
    return is_lock(name) or holds_lock(name)
