"""What a worker does for one file.  Arguments and answers cross processes; a file's trouble is part of its answer."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from conclint import rules
from conclint.engine.units import Unit, digest, reason
from conclint.index import index
from conclint.lazily import load
from conclint.model import Failure, Finding
from conclint.program.observations import Inspection
from conclint.program.scene import Scene
from conclint.rules.rule import Rule
from conclint.source import inspect, mend

CHANGED = "the file changed while it was being checked"
TOO_DEEP = "nested too deeply to be analysed"


class Indexed(NamedTuple):
    """A file's index and the digest of the bytes it was made from; `lost` says why there is none."""

    digest: bytes
    blob: bytes
    lost: str = ""
    error: str = ""


class Inspect(NamedTuple):
    """Look closely at a file, of which these bytes were indexed."""

    unit: Unit
    digest: bytes
    scene: Scene


class Inspected(NamedTuple):
    """The file's inspection, or why there is none: the file's fault (`lost`) or ours (`error`)."""

    inspection: Inspection | None
    lost: str = ""
    error: str = ""


class Mend(NamedTuple):
    """Build the fixes of one rule's findings in a file."""

    unit: Unit
    digest: bytes
    scene: Scene
    code: str
    findings: tuple[Finding, ...]


class Mended(NamedTuple):
    """The same findings, with fixes where there are any."""

    findings: tuple[Finding, ...]
    failure: Failure | None = None


def index_unit(unit: Unit) -> Indexed:
    try:
        data = unit.read()
    except (OSError, ValueError) as error:
        return Indexed(b"", b"", lost=reason(error))
    try:
        return Indexed(digest(data), index(unit.path, data))
    except Exception as error:
        return Indexed(b"", b"", error=told(error))


def inspect_unit(task: Inspect) -> Inspected:
    try:
        data = _same(task.unit, task.digest)
        return Inspected(inspect(task.unit.path, data, task.scene, chosen(task.scene.rules)))
    except _Changed as changed:
        return Inspected(None, error=str(changed))
    except (RecursionError, MemoryError):
        return Inspected(None, lost=TOO_DEEP)
    except Exception as error:
        return Inspected(None, error=told(error))


def mend_unit(task: Mend) -> Mended:
    try:
        data = _same(task.unit, task.digest)
        (rule,) = chosen((task.code,))
        return Mended(mend(task.unit.path, data, task.scene, rule, task.findings))
    except Exception as error:
        return Mended(task.findings, Failure(task.unit.path, task.code, told(error)))


@cache
def chosen(codes: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules themselves stay where they are; only their codes travel."""
    wanted = frozenset(codes)
    return tuple(rule for rule in rules.all_rules() if rule.code in wanted)


def told(error: Exception) -> str:
    """An error in one line; an interrupt goes on as one, also where Python below 3.12 hides it in a RuntimeError."""
    if isinstance(error.__cause__, KeyboardInterrupt):
        raise error.__cause__
    return f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": ")


class _Changed(Exception):
    """The bytes are not those that were indexed, so the program's places in them are wrong."""


def _same(unit: Unit, expected: bytes) -> bytes:
    try:
        data = unit.read()
    except (OSError, ValueError) as error:
        raise _Changed(CHANGED) from error
    if digest(data) != expected:
        raise _Changed(CHANGED)
    return data


def warm() -> None:
    """Load what the first inspection would wait for."""
    load("libcst")
