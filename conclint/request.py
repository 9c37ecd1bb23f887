"""What a user asks of one run, as the command line says it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from conclint.model import Safety
from conclint.settings import Config


class Mending(Enum):
    """What becomes of fixes."""

    NONE = "none"
    SAFE = "safe"
    UNSAFE = "unsafe"
    SAFE_DIFF = "safe diff"
    UNSAFE_DIFF = "unsafe diff"

    @classmethod
    def of(cls, *, fix: bool, diff: bool, unsafe: bool) -> Mending:
        """Who asks for both, --fix and --diff, wants to look first."""
        if diff:
            return cls.UNSAFE_DIFF if unsafe else cls.SAFE_DIFF
        return (cls.UNSAFE if unsafe else cls.SAFE) if fix else cls.NONE

    @property
    def allowed(self) -> Safety:
        return Safety.UNSAFE if self in (Mending.UNSAFE, Mending.UNSAFE_DIFF) else Safety.SAFE

    @property
    def shows(self) -> bool:
        return self in (Mending.SAFE_DIFF, Mending.UNSAFE_DIFF)


@dataclass(frozen=True)
class Choice:
    """The codes that the command line names; None where it leaves them to the configuration."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] | None = None

    def over(self, config: Config) -> Config:
        """`config` with this laid over it: `select` stands for all of the configuration's selection."""
        if self.select is not None:
            config = replace(config, select=self.select, extend_select=())
        if self.ignore is not None:
            config = replace(config, ignore=self.ignore)
        if self.extend_select is not None:
            config = replace(config, extend_select=(*config.extend_select, *self.extend_select))
        return config


@dataclass(frozen=True)
class Request:
    """One `conclint check`."""

    paths: tuple[str, ...] = (".",)
    choice: Choice = field(default_factory=Choice)
    mending: Mending = Mending.NONE
    output: str = "text"
    jobs: int | None = None
    cache: bool = True
    cache_folder: Path | None = None
    config: Path | None = None
    isolated: bool = False
    stdin_filename: str | None = None
    statistics: bool = False
    exit_zero: bool = False
    colour: bool = False

    @property
    def from_stdin(self) -> bool:
        return self.paths == ("-",)
