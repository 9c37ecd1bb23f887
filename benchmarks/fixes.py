"""Applies every fix over the corpus, in memory: the text parses, is stable, and no longer has the finding.

One line per package and rule as soon as it is known, and each failure under it; the sums come last.
"""

from __future__ import annotations

import argparse
import ast
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from corpus import REPOSITORY, Package, packages, python_files, table

sys.path.insert(0, str(REPOSITORY))

from conclint import fixer, writer
from conclint.cache import Brief
from conclint.engine import Unit, check
from conclint.knowledge import BUILTIN
from conclint.model import Diagnostic, Safety
from conclint.rules import all_rules
from conclint.settings import Config

DEFAULT = {rule.code for rule in all_rules() if rule.default}
COLUMNS = (
    "safe", "unsafe", "mended", "rounds", "does not parse", "not stable", "still there", "new",
    "new asked for", "held twice", "refused",
)  # fmt: skip
ALL = "all rules"
TESTS = {"test", "tests", "idle_test"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", help="only these (stdlib is one too)")
    parser.add_argument("--safe", action="store_true", help="only the safe fixes")
    parser.add_argument("--diff", action="store_true", help="show what each fix changes")
    parser.add_argument("--wider", action="store_true", help="the list `wider` as well")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    allowed = Safety.SAFE if options.safe else Safety.UNSAFE
    sums: dict[str, Counter[str]] = {}
    for package in packages(wider=options.wider, only=options.packages):
        for trial in Bench(package, allowed, options.jobs).trials():
            report(package, trial, diff=options.diff)
            sums.setdefault(trial.code, Counter()).update(trial.counts)
    rows = [(code, *(sums[code][column] for column in COLUMNS if column != "rounds")) for code in sorted(sums)]
    print(table(rows, head=("rule", *(column for column in COLUMNS if column != "rounds"))))


@dataclass(frozen=True)
class Trial:
    """What came of the fixes of one rule, or of all of them together, over one package."""

    code: str
    counts: Counter[str]
    problems: tuple[str, ...]
    changes: tuple[writer.Change, ...]
    seconds: float


def report(package: Package, trial: Trial, *, diff: bool) -> None:
    numbers = ", ".join(f"{column} {trial.counts[column]}" for column in COLUMNS if trial.counts[column])
    print(f"{package.name} {trial.code}: {numbers} ({trial.seconds:.1f} s)")
    for problem in trial.problems:
        print(f"    {problem}")
    if diff and trial.code != ALL:
        for change in trial.changes:
            print(writer.diff(change))
    sys.stdout.flush()


class Bench:
    """One package as one program.  What is computed for one rule's fixes is known to the next."""

    def __init__(self, package: Package, allowed: Safety, jobs: int) -> None:
        self._allowed, self._jobs, self._known = allowed, jobs, Brief()
        paths = {path.relative_to(package.folder): path for path in python_files(package.folder)}
        if package.name == "stdlib":
            paths = {name: path for name, path in paths.items() if not TESTS & set(name.parts)}
        self._units = [Unit(name.as_posix(), str(path)) for name, path in paths.items()]

    def trials(self) -> Iterator[Trial]:
        """One rule after the other, so that each answers for its own fixes; then all of them."""
        before = self._check(self._units, "CON")
        codes = sorted({one.code for one in before if self._may(one)})
        for code in codes:
            yield self._trial(code, [one for one in before if one.code == code])
        if len(codes) > 1:
            yield self._trial(ALL, before)

    def _trial(self, code: str, before: Sequence[Diagnostic]) -> Trial:
        begin = time.perf_counter()
        select = "CON" if code == ALL else code
        fixed = fixer.fix(self._units, _config(select), allowed=self._allowed, jobs=self._jobs, cache=self._known)
        now = {change.path: change.after for change in fixed.changes}
        units = [replace(unit, data=now.get(unit.path)) for unit in self._units]
        again = fixer.fix(units, _config(select), allowed=self._allowed, jobs=self._jobs, cache=self._known)
        fixable = [one for one in before if self._may(one)]
        left = list(fixed.result.diagnostics)
        new = texts(left) - texts(before)
        unasked = new & texts(one for one in left if one.code in DEFAULT and not one.finding.when_asked)
        kinds = {
            "does not parse": [path for path, data in now.items() if not parses(data)],
            "not stable": [change.path for change in again.changes],
            "still there": list(texts(fixable) & texts(one for one in left if self._may(one))),
            "new": list(unasked.elements()),
            "new asked for": list((new - unasked).elements()),
            "held twice": [
                change.path for change in fixed.changes if held_twice(change.after) > held_twice(change.before)
            ],
            "refused": [f"{failure.path}: {failure.rule}: {failure.error}" for failure in fixed.result.failures],
        }
        counts = Counter({kind: len(some) for kind, some in kinds.items()})
        counts.update(one.finding.fix.safety.value for one in fixable if one.finding.fix)
        counts["mended"] = sum(len(change.codes) for change in fixed.changes)
        counts["rounds"] = fixed.rounds
        problems = tuple(f"{kind}: {what}" for kind, some in kinds.items() for what in some)
        return Trial(code, counts, problems, fixed.changes, time.perf_counter() - begin)

    def _check(self, units: Sequence[Unit], select: str) -> tuple[Diagnostic, ...]:
        return check(units, _config(select), jobs=self._jobs, cache=self._known, fixes=True).diagnostics

    def _may(self, one: Diagnostic) -> bool:
        fix = one.finding.fix
        return fix is not None and (fix.safety is Safety.SAFE or self._allowed is Safety.UNSAFE)


def _config(select: str) -> Config:
    return Config(select=(select,), knowledge=BUILTIN)


def texts(diagnostics: Iterable[Diagnostic]) -> Counter[str]:
    """Findings without their lines, which move."""
    return Counter(f"{one.path}: {one.code} {one.finding.message}" for one in diagnostics)


def parses(data: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(data)
        except (SyntaxError, ValueError):
            return False
    return True


def held_twice(data: bytes) -> int:
    """How many `with` blocks enter what a block around them has entered, in the same words."""
    if not parses(data):
        return 0
    return sum(_held_twice(node, ()) for node in ast.parse(data).body)


def _held_twice(node: ast.AST, around: tuple[str, ...]) -> int:
    again = 0
    if isinstance(node, ast.With):
        entered = tuple(ast.unparse(item.context_expr) for item in node.items)
        again = any(one in around for one in entered)
        around += entered
    inside = () if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else around
    return again + sum(_held_twice(child, inside) for child in ast.iter_child_nodes(node))


if __name__ == "__main__":
    main()
