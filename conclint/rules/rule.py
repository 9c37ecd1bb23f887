"""What a rule is: one value that names, triggers, detects, mends and proves itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conclint.model import Finding, Fix
from conclint.program.triggers import Triggers

if TYPE_CHECKING:
    from conclint.program.evidence import Evidence
    from conclint.source.source import Source


@dataclass(frozen=True)
class Bad:
    """A program with defects, marked `# expect: CODE` on their lines; `fixed` is its text after the rule's fixes.

    `free_threaded`: they are defects of a project that says `free-threaded = true`.
    """

    code: str
    fixed: str | None = None
    free_threaded: bool = False


@dataclass(frozen=True)
class Good:
    """A program on which the rule must stay silent, with the project's `free-threaded` or without."""

    code: str
    free_threaded: bool = False


@dataclass(frozen=True)
class Rule:
    """One anti-pattern.

    `check` sees one file's parsed regions.  `conclude` sees what all files observed; since it has no tree at hand,
    `mend` builds the fix of one of its findings afterwards, and only when someone asks for fixes.
    """

    code: str
    name: str
    triggers: Triggers
    examples: tuple[Bad | Good, ...]
    check: Callable[[Source], Iterator[Finding]] | None = None
    conclude: Callable[[Evidence], Iterator[Finding]] | None = None
    mend: Callable[[Source, Finding], Fix | None] | None = None
    default: bool = True
