"""Programs as tests have them: texts by path, checked and mended by the real engine, in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from conclint import fixer
from conclint.engine import Unit, check
from conclint.knowledge import BUILTIN
from conclint.model import Safety
from conclint.settings import Config
from tests.marks import Alarm

CONFIG = Config(knowledge=BUILTIN)


def alarms_of(
    files: Mapping[str, str | bytes], select: str, config: Config = CONFIG, *, weak: bool = True
) -> dict[Alarm, str]:
    """The alarms of the chosen rules over the program, each with its message; conclint's own failures fail the test.

    `weak`: those too that are only shown where they are asked for.
    """
    result = check(_units(files), replace(config, select=(select,)))
    assert not result.failures, result.failures
    shown = [one for one in result.diagnostics if weak or not one.finding.when_asked]
    return {Alarm(one.path, one.span.line, one.code): one.finding.message for one in shown}


def mended(files: Mapping[str, str], select: str, config: Config = CONFIG) -> dict[str, str]:
    """The program after all fixes of the chosen rules, unsafe ones too, applied until quiet."""
    fixed = fixer.fix(_units(files), replace(config, select=(select,)), allowed=Safety.UNSAFE)
    assert not fixed.result.failures, fixed.result.failures
    return {**files, **{each.path: each.after.decode("utf-8") for each in fixed.changes}}


def _units(files: Mapping[str, str | bytes]) -> list[Unit]:
    return [Unit(path, data=text.encode() if isinstance(text, str) else text) for path, text in sorted(files.items())]
