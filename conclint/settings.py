"""What a project asks of conclint: one frozen value, wherever it was written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from conclint.knowledge.kinds import Knowledge

OLDEST_TARGET = (3, 10)  # assumed when a project does not say which Python it runs on


@dataclass(frozen=True)
class Config:
    """The settings of one run.

    Codes are prefixes (`CON3`, `CON`).  Nothing in `select` means the rules that are on by default; `extend_select`
    adds to whichever holds.  `knowledge` is the built-in knowledge with the project's own laid over it, and
    `project` the folder whose configuration was read.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    src: tuple[str, ...] = ()
    target_version: tuple[int, int] = OLDEST_TARGET
    free_threaded: bool = False
    knowledge: Knowledge = field(default_factory=Knowledge)
    project: Path | None = None
