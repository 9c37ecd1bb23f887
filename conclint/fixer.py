"""Applies fixes until there is nothing left to fix.

A fix in one file can change what is found in another, so each round checks all files again, the changed ones as they
read so far.  Nothing is written here: `writer` does that, once, when the last round is over.
"""

from __future__ import annotations

import gc
import hashlib
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import NamedTuple

from conclint.cache import Brief, Entries
from conclint.edits import Draft
from conclint.engine import Progress, Unit, check
from conclint.index import decode_header, index
from conclint.model import Diagnostic, Failure, Fix, Result, Safety
from conclint.settings import Config
from conclint.text import Text, Unreadable, decode, encode
from conclint.writer import Change

ROUNDS = 10


@dataclass(frozen=True)
class Fixed:
    """What is left to report, what became of the files that could be mended, and in how many rounds."""

    result: Result
    changes: tuple[Change, ...]
    rounds: int = 0


def fix(
    units: Sequence[Unit],
    config: Config,
    *,
    allowed: Safety = Safety.SAFE,
    jobs: int = 1,
    cache: Entries | None = None,
    progress: Progress | None = None,
    unreadable: Sequence[tuple[str, str]] = (),
) -> Fixed:
    """Mend what fixes that are `allowed` can mend.  Trouble with fixes is among the result's failures."""
    # Rounds after the first should cost only what changed, cache or no cache.
    known = cache or Brief()
    bench = _Bench({unit.path: unit for unit in units}, allowed)
    for rounds in range(ROUNDS + 1):
        result = check(
            bench.units, config, jobs=jobs, cache=known, progress=progress, fixes=True, unreadable=unreadable
        )
        if rounds == ROUNDS or not bench.apply(result.diagnostics):
            break
        gc.collect()  # what the round's program leaves are circles
    failures = tuple(dict.fromkeys((*result.failures, *bench.failures)))
    return Fixed(replace(result, failures=failures), bench.changes, rounds)


class _Bench:
    """The files as they read after the fixes so far."""

    def __init__(self, units: dict[str, Unit], allowed: Safety) -> None:
        self._units = units
        self._allowed = allowed
        self._work: dict[str, _Work] = {}
        self._refused: set[tuple[object, ...]] = set()
        self._digests = {path: _digest(unit) for path, unit in units.items()}
        self.failures: list[Failure] = []

    @property
    def units(self) -> list[Unit]:
        return [
            replace(unit, data=self._work[path].now) if path in self._work else unit
            for path, unit in self._units.items()
        ]

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(
            Change(path, self._units[path].file or path, work.before, work.now, tuple(work.codes))
            for path, work in self._work.items()
            if work.now != work.before
        )

    def apply(self, diagnostics: Iterable[Diagnostic]) -> bool:
        """Apply what goes together; whether there was anything."""
        by_path: dict[str, list[_Wish]] = {}
        for one in diagnostics:
            fix = one.finding.fix
            if fix is not None and one.path in self._units and self._may(one, fix):
                by_path.setdefault(one.path, []).append(_Wish(one, fix))
        return sum(self._mend(path, wishes) for path, wishes in by_path.items()) > 0

    def _may(self, one: Diagnostic, fix: Fix) -> bool:
        allowed = fix.safety is Safety.SAFE or self._allowed is Safety.UNSAFE
        return allowed and _Wish(one, fix).identity not in self._refused

    def _mend(self, path: str, wishes: Sequence[_Wish]) -> bool:
        work = self._taken_up(path)
        if work is None:
            self._refuse(_Refusal(wish, "the file changed while it was being checked") for wish in wishes)
            return False
        granted, refused = work.mend(wishes)
        self._refuse(refused)
        return granted

    def _taken_up(self, path: str) -> _Work | None:
        """The file's work; a file that is not the one that was checked is left alone."""
        if path not in self._work:
            try:
                data = self._units[path].read()
            except (OSError, ValueError):
                return None
            if hashlib.sha256(data).digest() != self._digests[path]:
                return None
            self._work[path] = _Work(path, data, data)
        return self._work[path]

    def _refuse(self, refusals: Iterable[_Refusal]) -> None:
        for wish, why in refusals:
            self._refused.add(wish.identity)
            self.failures.append(Failure(wish.diagnostic.path, wish.diagnostic.code, why))


class _Wish(NamedTuple):
    """A finding and its fix."""

    diagnostic: Diagnostic
    fix: Fix

    @property
    def identity(self) -> tuple[object, ...]:
        """Tells it apart from others, though lines move from round to round."""
        texts = tuple(edit.text for edit in self.fix.edits)
        return (self.diagnostic.path, self.diagnostic.code, self.diagnostic.finding.message, self.fix.title, texts)


class _Refusal(NamedTuple):
    """A fix that will not be applied, and why."""

    wish: _Wish
    why: str


class _Spoilt(Exception):
    """The text with these fixes in it would be worse; says how."""


@dataclass
class _Work:
    """A file with fixes: its bytes as checked and now, every text it has had, and whose findings were mended."""

    path: str
    before: bytes
    now: bytes
    seen: set[bytes] = field(default_factory=set)
    codes: list[str] = field(default_factory=list)

    def mend(self, wishes: Sequence[_Wish]) -> tuple[bool, list[_Refusal]]:
        """Apply those that go together; whether there were any, and which will never do."""
        try:
            text = decode(self.now)
            if encode(text.text, text) != self.now:
                raise ValueError
        except (Unreadable, ValueError):
            return False, [_Refusal(wish, "the file cannot be written back in its encoding") for wish in wishes]
        old = self.now
        try:
            refused: list[_Refusal] = []
            granted = self._together(text, wishes)
        except _Spoilt:
            granted, refused = self._one_by_one(text, wishes)
        self.seen.add(old)
        return granted, refused

    def _together(self, text: Text, wishes: Sequence[_Wish]) -> bool:
        draft = Draft(text)
        granted = [wish for wish in wishes if _added(draft, wish)]
        return bool(granted) and self._settle(text, draft, granted)

    def _one_by_one(self, text: Text, wishes: Sequence[_Wish]) -> tuple[bool, list[_Refusal]]:
        """Find out which of the fixes spoils the text, and leave it out."""
        before, codes = self.now, list(self.codes)
        good: list[_Wish] = []
        refused: list[_Refusal] = []
        for wish in wishes:
            self.now, self.codes = before, list(codes)
            try:
                self._together(text, [*good, wish])
            except _Spoilt as spoilt:
                refused.append(_Refusal(wish, str(spoilt)))
            else:
                good.append(wish)
        self.now, self.codes = before, codes
        return self._together(text, good), refused

    def _settle(self, text: Text, draft: Draft, granted: Sequence[_Wish]) -> bool:
        try:
            data = encode(draft.result(), text)
        except ValueError:
            raise _Spoilt(f"its fix needs characters that {text.encoding} lacks") from None
        if _soundness(self.path, data) < _soundness(self.path, self.now):
            raise _Spoilt("its fix leaves text that does not parse; it was not applied")
        if data in self.seen or data == self.now:
            raise _Spoilt("its fix leads back to an earlier text; it was not applied")
        self.now = data
        self.codes += [wish.diagnostic.code for wish in granted]
        return True


def _added(draft: Draft, wish: _Wish) -> bool:
    try:
        return draft.add(wish.fix)
    except ValueError as error:
        raise _Spoilt(f"its fix points outside of the file: {error}") from None


class Soundness(IntEnum):
    """How far Python gets with a text."""

    BROKEN = 0
    PARSES = 1
    COMPILES = 2


def _soundness(path: str, data: bytes) -> Soundness:
    """Compiling sees more than parsing, such as a `return` outside of functions; nothing is run."""
    if decode_header(index(path, data)).error is not None:
        return Soundness.BROKEN
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Soundness.PARSES
    return Soundness.COMPILES


def _digest(unit: Unit) -> bytes:
    try:
        return hashlib.sha256(unit.read()).digest()
    except (OSError, ValueError):
        return b""
