"""The two maps and two folds, once it is clear that they have to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from conclint import rules
from conclint.engine.crew import Crew, Lost
from conclint.engine.inspections import Observed, Seen
from conclint.engine.ledger import Ledger
from conclint.engine.linked import Asked, Linked
from conclint.engine.selection import Selection
from conclint.engine.tasks import (
    Indexed,
    Inspect,
    Inspected,
    Mend,
    chosen,
    index_unit,
    inspect_unit,
    mend_unit,
    told,
    warm,
)
from conclint.engine.units import Survey, Unit, roots
from conclint.index.facts import Header
from conclint.model import Diagnostic, Failure, Finding, Place, Span
from conclint.program import Options, islands
from conclint.program.evidence import Evidence
from conclint.program.observations import Inspection
from conclint.program.triggers import Triggers, unasked
from conclint.rules.rule import Rule
from conclint.serial import Codec
from conclint.settings import Config

T = TypeVar("T")
Progress = Callable[[str, int, int], None]

BROKEN = "CON001"
BROKEN_NAME = "unreadable-file"

# Of what these codes say authors may declare that they know.
RACES = "CON3"
NOWHERE = Span(1, 1, 1, 1)

# Parts of a tree with fewer files than this are linked together: each part costs something of its own.
SMALLEST = 20


@dataclass
class Analysis:
    """One run over one tree.  What goes wrong on the way is gathered, and the rest goes on."""

    units: Sequence[Unit]
    survey: Survey
    config: Config
    crew: Crew
    ledger: Ledger
    progress: Progress
    fixes: bool
    failures: list[Failure] = field(default_factory=list)

    def run(self) -> list[Diagnostic]:
        """Every finding of the rules that run, and of files that cannot be read, before suppression."""
        blobs, asked = self._index(), self._asked
        found: list[Diagnostic] = []
        for headers in self._parts(blobs):
            linked = Linked({path: blobs.pop(path) for path in headers}, headers, asked, self.ledger)
            try:
                found += self._judged(linked)
            except Exception as error:
                self.failures.append(Failure("", "", told(error)))
            finally:
                linked.close()
        return found + self._unreadable(self.survey.lost)

    def _parts(self, blobs: Mapping[str, bytes]) -> list[dict[str, Header]]:
        """The headers of the files that are linked together."""
        try:
            return islands(blobs.items(), SMALLEST)
        except Exception as error:
            self.failures.append(Failure("", "", told(error)))
            return []

    def _judged(self, linked: Linked) -> list[Diagnostic]:
        """What is found in one part of the tree, of which the others know nothing."""
        summary = linked.summary
        seen = self._inspect(linked)
        found = [(code, finding) for one in seen.values() for code, finding in one.findings]
        found += self._concluded(linked, seen)
        hides = linked.hides
        found = [(code, finding) for code, finding in found if not (code.startswith(RACES) and hides(finding.place))]
        names = dict(summary.rules)
        if self._reads:
            names[BROKEN] = BROKEN_NAME  # libcst may refuse what ast has read
        named = [Diagnostic(code, names[code], finding) for code, finding in found if code in names]
        return named + self._unparsed(summary.broken)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        selection = Selection(self.config)
        every = rules.all_rules()
        return chosen(tuple(rule.code for rule in every if selection.runs(rule.code, default=rule.default)))

    def _wanted(self) -> dict[str, tuple[str, Triggers]]:
        """What the rules look for; less where nobody asks for them by name."""
        asks = Selection(self.config).asks_for
        return {
            rule.code: (rule.name, rule.triggers if asks(rule.code) else unasked(rule.triggers)) for rule in self.rules
        }

    @cached_property
    def _reads(self) -> bool:
        """Whether files that cannot be read are reported."""
        return Selection(self.config).runs(BROKEN, default=True)

    @property
    def _asked(self) -> Asked:
        config = self.config
        folders = roots(config.src, config.project)
        options = Options(config.knowledge, config.free_threaded, config.target_version, folders)
        return Asked(repr((config.select, config.ignore, config.extend_select)), options, self._wanted)

    @cached_property
    def _by_path(self) -> dict[str, Unit]:
        return {unit.path: unit for unit in self.units}

    def _size(self, unit: Unit) -> int:
        return self.survey.sizes.get(unit.path, 0)

    # -- the first map

    def _index(self) -> dict[str, bytes]:
        survey = self.survey
        names = {path: self._index_name(path) for path in survey.digests}
        known = self.ledger.read(names.values())
        found = {path: known[name] for path, name in names.items() if name in known}
        missing = [unit for unit in self.units if unit.path not in found and unit.path not in survey.lost]
        for unit, answer in self._watched("index", self.crew.map(index_unit, missing, self._size), len(missing)):
            if isinstance(answer, Lost) or answer.error:
                self.failures.append(Failure(unit.path, "", answer.error))
            elif answer.lost:
                survey.lost[unit.path] = answer.lost
            else:
                found[unit.path] = self._indexed(unit.path, answer)
        if missing:
            self.crew.prepare(warm)
        # In the order of the units, however they came back.
        return {unit.path: found[unit.path] for unit in self.units if unit.path in found}

    def _indexed(self, path: str, answer: Indexed) -> bytes:
        self.survey.digests[path] = answer.digest
        self.ledger.keep(self._index_name(path), answer.blob)
        return answer.blob

    def _index_name(self, path: str) -> bytes:
        return self.ledger.name("index", path, self.survey.digests[path])

    # -- the second map

    def _inspect(self, linked: Linked) -> dict[str, Seen]:
        digests = self.survey.digests
        names = {
            path: self.ledger.name("inspection", path, digests[path], scene) for path, scene in linked.summary.scenes
        }
        found = self._remembered(names)
        scenes = linked.scenes(path for path in names if path not in found)
        tasks = [Inspect(self._by_path[path], digests[path], scene) for path, scene in scenes.items()]
        answers = self.crew.map(inspect_unit, tasks, lambda task: self._size(task.unit))
        for task, answer in self._watched("inspect", answers, len(tasks)):
            path = task.unit.path
            inspection = self._inspected(path, answer)
            if inspection is not None:
                found[path] = Seen(inspection)
                if self.ledger.kept and not inspection.failures:
                    self.ledger.keep(names[path], found[path].data)
                    linked.keep(path)
        self.failures += [failure for one in found.values() for failure in one.failures]
        return {path: found[path] for path in names if path in found}

    def _remembered(self, names: Mapping[str, bytes]) -> dict[str, Seen]:
        known = self.ledger.read(names.values())
        found = {}
        for path, name in names.items():
            if name in known:
                try:
                    found[path] = Seen(None, known[name])
                except ValueError:
                    continue  # damaged: computed again
        return found

    def _inspected(self, path: str, answer: Inspected | Lost) -> Inspection | None:
        if isinstance(answer, Lost) or answer.error:
            self.failures.append(Failure(path, "", answer.error))
            return None
        if answer.lost:
            self.survey.lost[path] = answer.lost
        return answer.inspection

    # -- the second fold

    def _concluded(self, linked: Linked, seen: Mapping[str, Seen]) -> Sequence[tuple[str, Finding]]:
        """What follows from all files together; the same as before if nothing was observed that was not before."""
        if self.fixes or not self.ledger.kept:  # a fix depends on more of a file than what is observed
            return self._conclude(linked, seen)
        digests = (part for path, one in seen.items() for part in (path, one.digest))
        name = self.ledger.name("concluded", linked.name, *digests)
        known = self.ledger.recall(name, Inspection)
        if known is not None:
            return known.findings
        before = len(self.failures)
        found = self._conclude(linked, seen)
        if len(self.failures) == before:
            self.ledger.keep(name, Codec(Inspection).dumps(Inspection(tuple(found))))
        return found

    def _conclude(self, linked: Linked, seen: Mapping[str, Seen]) -> list[tuple[str, Finding]]:
        evidence = Evidence(linked.program, Observed(seen))
        found: list[tuple[str, Finding]] = []
        for rule in self.rules:
            if rule.conclude is not None:
                try:
                    findings = list(rule.conclude(evidence))
                except Exception as error:
                    self.failures.append(Failure("", rule.code, told(error)))
                else:
                    found += [(rule.code, finding) for finding in self._mended(rule, findings, linked)]
        return found

    def _mended(self, rule: Rule, findings: list[Finding], linked: Linked) -> Iterator[Finding]:
        if not self.fixes or rule.mend is None:
            yield from findings
            return
        by_path: dict[str, list[Finding]] = {}
        for finding in findings:
            by_path.setdefault(finding.place.path, []).append(finding)
        inspected = dict(linked.summary.scenes)
        known = linked.scenes_for_locks if rule.triggers.state else linked.scenes
        scenes = known(path for path in by_path if path in inspected)
        tasks = [
            Mend(self._by_path[path], self.survey.digests[path], scenes[path], rule.code, tuple(some))
            for path, some in by_path.items()
            if path in scenes
        ]
        yield from (finding for path, some in by_path.items() if path not in scenes for finding in some)
        for task, answer in self.crew.map(mend_unit, tasks, lambda task: self._size(task.unit)):
            if isinstance(answer, Lost):
                self.failures.append(Failure(task.unit.path, rule.code, answer.error))
                yield from task.findings
                continue
            self.failures += [answer.failure] if answer.failure else []
            yield from answer.findings

    def _unreadable(self, lost: Mapping[str, str]) -> list[Diagnostic]:
        return [unreadable(path, NOWHERE, message) for path, message in lost.items()] if self._reads else []

    def _unparsed(self, broken: Iterable[tuple[str, int, int, str]]) -> list[Diagnostic]:
        return [
            unreadable(path, Span(line, column, line, column), f"cannot be parsed: {message}")
            for path, line, column, message in broken
            if self._reads
        ]

    def _watched(self, phase: str, answers: Iterable[T], total: int) -> Iterator[T]:
        if total:
            self.progress(phase, 0, total)
        for done, answer in enumerate(answers, 1):
            yield answer
            self.progress(phase, done, total)


def unreadable(path: str, span: Span, message: str) -> Diagnostic:
    """CON001: nothing else can be said of the file."""
    return Diagnostic(BROKEN, BROKEN_NAME, Finding(Place(path, span), message))
