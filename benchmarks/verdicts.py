"""Keeps what readers said of findings: prints each rule's precision, and draws findings to be read.

`verdicts.tsv` has a line for each finding that somebody read in its context: `true` when a maintainer of that project
would be glad to hear of it, `false` when not, and why, in a few words.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from corpus import HERE, Found, findings, packages, table

VERDICTS = HERE / "verdicts.tsv"
FIRST = "first-reading*.tsv"  # one for each time that projects were read which nobody had looked at before
SEED = 20
AROUND = 14  # lines shown before and after a finding
GOAL = 0.95
UNREADABLE = "CON001"  # nobody needs to judge whether a file can be parsed


class Verdict(NamedTuple):
    package: str
    version: str
    path: str
    line: int
    code: str
    verdict: str
    reason: str

    @property
    def place(self) -> tuple[str, str, str, int, str]:
        return self.package, self.version, self.path, self.line, self.code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", nargs="?", choices=["precision", "draw", "missing", "first"], default="precision")
    parser.add_argument("--select", default="CON", help="codes, as for `conclint check`")
    parser.add_argument("--count", type=int, default=40, help="how many to draw of each rule")
    parser.add_argument("--all", action="store_true", help="draw also what has a verdict already")
    parser.add_argument("--wider", action="store_true", help="the list `wider` as well")
    parser.add_argument("--default", action="store_true", help="only what a user sees who selects nothing")
    options = parser.parse_args()
    if options.action == "first":
        print(first_readings())
        return
    verdicts = {verdict.place: verdict for verdict in read_verdicts()}
    select = "" if options.default else options.select
    every = [one for package in packages(wider=options.wider) for one in findings(package, select=select)]
    found = [one for one in every if one.code != UNREADABLE]
    drawn = sample(found, options.count)
    if options.action == "draw":
        show([one for one in drawn if options.all or place_of(one) not in verdicts])
        return
    missing = [one for one in drawn if place_of(one) not in verdicts]
    if options.action == "missing":
        for one in missing:
            print("\t".join(map(str, place_of(one))))
        return
    print(precision(found, verdicts))
    print(f"\n{len(missing)} of {len(drawn)} findings drawn have no verdict yet (`verdicts.py draw` shows them)")
    gone = verdicts.keys() - {place_of(one) for one in found}
    print(f"{len(gone)} verdicts are about findings that are no longer made")


def rows_of(table_: Path) -> list[dict[str, str]]:
    with table_.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def first_readings() -> str:
    """What readers said of the default rules' findings in projects that nobody had looked at before."""
    return "\n\n".join(f"{one.name}\n{first_reading(one)}" for one in sorted(HERE.glob(FIRST)))


def first_reading(table_: Path) -> str:
    said: dict[str, list[str]] = {}
    for row in rows_of(table_):
        for code in (row["code"], "all"):
            said.setdefault(code, []).append(row["verdict"])
    counts = [(code, some.count("true"), some.count("false")) for code, some in sorted(said.items())]
    rows = [(code, true, false, f"{true / (true + false):.0%}") for code, true, false in counts]
    return table(rows, head=("rule", "true", "false", "precision"))


def read_verdicts() -> list[Verdict]:
    rows = rows_of(VERDICTS)
    verdicts = [Verdict(**{**row, "line": int(row["line"])}) for row in rows]
    places = [one.place for one in verdicts]
    for one in verdicts:
        if places.count(one.place) > 1:
            raise SystemExit(f"{VERDICTS.name}: {one.place}: one finding has one verdict")
        if one.verdict not in ("true", "false") or not one.reason:
            raise SystemExit(f"{VERDICTS.name}: {one.place}: a verdict is true or false, and has a reason")
    return verdicts


def sample(found: Iterable[Found], count: int) -> list[Found]:
    """Up to `count` of each rule; the same ones in each run, and most of the same after a rule has changed a little.

    Each finding has its own lot, so one finding more or less does not change the fate of the others.
    """
    lots: dict[str, list[tuple[float, Found]]] = {}
    for one in found:
        lot = random.Random(f"{SEED} {place_of(one)}").random()
        lots.setdefault(one.code, []).append((lot, one))
    return [one for code in sorted(lots) for _, one in sorted(sorted(lots[code])[:count], key=lambda each: each[1])]


def precision(found: list[Found], verdicts: dict[tuple[str, str, str, int, str], Verdict]) -> str:
    """Over the findings that are still made: what a rule no longer says is no fault of it."""
    rows = []
    for code in sorted({one.code for one in found}):
        places = {place_of(one) for one in found if one.code == code}
        said = [verdicts[place].verdict for place in places if place in verdicts]
        share = said.count("true") / len(said) if said else None
        remark = "" if share is None or share >= GOAL else "below the goal"
        shown = "-" if share is None else f"{share:.0%}"
        rows.append((code, len(places), len(said), said.count("true"), said.count("false"), shown, remark))
    return table(rows, head=("rule", "findings", "read", "true", "false", "precision", ""))


def show(found: list[Found]) -> None:
    folders = {package.name: package.folder for package in packages(wider=True)}
    for number, one in enumerate(found, start=1):
        print(f"{'=' * 100}\n[{number}/{len(found)}] {'	'.join(map(str, place_of(one)))}\n{one.message}")
        for note in one.notes:
            print(f"    note: {note}")
        print(context(folders[one.package] / one.path, one.line))


def context(path: Path, line: int) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    first = max(line - 1 - AROUND, 0)
    shown = lines[first : line + AROUND]
    return "\n".join(f"{'>' if n == line else ' '}{n:5} {text}" for n, text in enumerate(shown, start=first + 1))


def place_of(one: Found) -> tuple[str, str, str, int, str]:
    return one.package, one.version, one.path, one.line, one.code


if __name__ == "__main__":
    main()
