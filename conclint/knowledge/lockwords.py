"""What locks, and what holds one, are called in Python programs, where their types cannot be told."""

from __future__ import annotations

import re
from typing import Final

# Held by contract: what is called so expects its caller to hold the lock, whichever that is.
BY_CONTRACT: Final = re.compile(r"_(?:un)?locked$|^(?:un)?locked_|_with_lock$|_nolock$|_no_lock$|_lock_held$")

# What is called so is a lock.
LOCKISH: Final = re.compile(
    r"(?:^|_)(?:r?lock|mutex|sem|semaphore|cond|condition|cv|guard|critical)s?$|lock(?:ed)?$", re.IGNORECASE
)

# What is called so holds one while its block, or what it decorates, runs.
SYNCHRONIZED: Final = re.compile(r"synchroni[sz]ed|(?:^|_)lock(?:ed|ing|s)?(?:_|$)|atomic|exclusive", re.IGNORECASE)

# A lock that is called so guards whatever its owner has; any other name says what it is for.
FOR_ANYTHING: Final = re.compile(
    r"^_*(?:(?:state|data|thread|creation|internal|instance)_?)?(?:r?lock|mutex|guard)$", re.IGNORECASE
)
