"""SARIF 2.1.0, the format of code scanning services."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from conclint import __version__
from conclint.rules import all_rules, rule_docs

if TYPE_CHECKING:
    from conclint.model import Diagnostic, Edit, Failure, Fix, Note, Place, Span
    from conclint.report import Material
    from conclint.rules.rule import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def lines(material: Material) -> Iterator[str]:
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(material)]}
    yield from json.dumps(log, indent=2).splitlines()


def _run(material: Material) -> dict[str, object]:
    found = material.result.diagnostics
    codes = sorted({(diagnostic.code, diagnostic.name) for diagnostic in found})
    index = {code: number for number, (code, _) in enumerate(codes)}
    known = {rule.code: rule for rule in all_rules()}
    rules = [_rule(code, name, known.get(code)) for code, name in codes]
    return {
        "tool": {"driver": {"name": "conclint", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(material)],
        "results": [_result(diagnostic, index[diagnostic.code]) for diagnostic in found],
    }


def _rule(code: str, name: str, rule: Rule | None) -> dict[str, object]:
    about: dict[str, object] = {"id": code, "name": name}
    docs = rule_docs(rule).strip() if rule else ""
    if rule and docs:
        about["shortDescription"] = {"text": docs.splitlines()[0]}
        about["fullDescription"] = {"text": docs}
        about["help"] = {"text": docs, "markdown": docs}
        about["defaultConfiguration"] = {"enabled": rule.default, "level": "warning"}
    return about


def _invocation(material: Material) -> dict[str, object]:
    failures = material.result.failures
    return {
        "executionSuccessful": not failures,
        "toolExecutionNotifications": [_notification(failure) for failure in failures],
    }


def _notification(failure: Failure) -> dict[str, object]:
    rule = f"{failure.rule}: " if failure.rule else ""
    return {
        "level": "error",
        "message": {"text": f"{rule}{failure.error}"},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(failure.path)}}],
    }


def _result(diagnostic: Diagnostic, index: int) -> dict[str, object]:
    finding = diagnostic.finding
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": "warning",
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": _location(finding.place)}],
    }
    if finding.notes:
        result["relatedLocations"] = [_related(note, number) for number, note in enumerate(finding.notes, 1)]
    if finding.fix:
        result["fixes"] = [_fix(finding.fix, diagnostic.path)]
    return result


def _related(note: Note, number: int) -> dict[str, object]:
    return {"id": number, "message": {"text": note.message}, "physicalLocation": _location(note.place)}


def _fix(fix: Fix, path: str) -> dict[str, object]:
    replacements = [_replacement(edit) for edit in fix.edits]
    return {
        "description": {"text": fix.title},
        "artifactChanges": [{"artifactLocation": _artifact(path), "replacements": replacements}],
        "properties": {"safety": fix.safety.value},
    }


def _replacement(edit: Edit) -> dict[str, object]:
    return {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}


def _location(place: Place) -> dict[str, object]:
    return {"artifactLocation": _artifact(place.path), "region": _region(place.span)}


def _artifact(path: str) -> dict[str, object]:
    if os.path.isabs(path):
        return {"uri": Path(path).as_uri()}
    return {"uri": quote(os.fsencode(path.replace(os.sep, "/"))), "uriBaseId": "%SRCROOT%"}


def _region(span: Span) -> dict[str, object]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
