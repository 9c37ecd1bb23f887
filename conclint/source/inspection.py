"""The second map: one file's bytes and its scene become findings and observations."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Failure, Finding, Place, Span
from conclint.program.observations import Inspection, Observations
from conclint.program.scene import Scene
from conclint.source.accesses import Accesses
from conclint.source.held import Held
from conclint.source.source import Source
from conclint.source.tree import TooDeep
from conclint.text import decode

if TYPE_CHECKING:
    from conclint.rules.rule import Rule


def inspect(path: str, data: bytes, scene: Scene, rules: Sequence[Rule]) -> Inspection:
    """Looks closely at the regions that the scene names.  Never raises: what goes wrong is a failure of a rule."""
    try:
        source = Source(decode(data), scene)
    except cst.ParserSyntaxError as error:
        return Inspection((("CON001", _unparsed(path, scene, error)),))
    with closing(source):
        return _inspected(source, rules)


def _inspected(source: Source, rules: Sequence[Rule]) -> Inspection:
    path, scene = source.path, source.scene
    findings: list[tuple[str, Finding]] = []
    failures: list[Failure] = []
    for rule in rules:
        if rule.check is not None:
            try:
                findings += [(rule.code, finding) for finding in rule.check(source)]
            except TooDeep:
                findings.append(("CON001", _too_deep(path, scene)))
            except Exception as error:  # a rule's bug must not hide the other rules' findings
                failures.append(_failure(path, rule.code, error))
    observations = Observations()
    if scene.watched or scene.lockers:
        try:
            observations = _observed(source)
        except TooDeep:
            findings.append(("CON001", _too_deep(path, scene)))
        except Exception as error:
            failures.append(_failure(path, "", error))
    return Inspection(tuple(dict.fromkeys(findings)), observations, tuple(failures))


def _observed(source: Source) -> Observations:
    seen = Accesses(source).all() if source.scene.watched else Observations()
    if not source.scene.lockers:
        return seen
    held = Held(source)
    return replace(seen, acquires=tuple(held.acquires()), criticals=tuple(held.criticals()))


def mend(path: str, data: bytes, scene: Scene, rule: Rule, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The same findings, with fixes where the rule knows one."""
    if rule.mend is None:
        return tuple(findings)
    with closing(Source(decode(data), scene)) as source:
        return tuple(replace(finding, fix=rule.mend(source, finding)) for finding in findings)


def _failure(path: str, code: str, error: Exception) -> Failure:
    return Failure(path, code, f"{type(error).__name__}: {error}")


def _unparsed(path: str, scene: Scene, error: cst.ParserSyntaxError) -> Finding:
    line = scene.regions[0][0][0] + max(error.raw_line, 1) - 1 if scene.regions else 1
    return Finding(Place(path, Span(line, 1, line, 1)), f"this statement cannot be inspected: {error.message}")


def _too_deep(path: str, scene: Scene) -> Finding:
    line = scene.regions[0][0][0]
    return Finding(Place(path, Span(line, 1, line, 1)), "what is nested too deeply here cannot be inspected")
