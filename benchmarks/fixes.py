"""Applies every fix over a copy of the corpus: the text parses, is stable, and no longer has the finding."""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import tempfile
import warnings
from collections import Counter
from pathlib import Path

from corpus import Package, conclint, packages, python_files, table

FIX = ["check", "--isolated", "--no-cache", "--fix", "--unsafe-fixes", "--output-format", "json"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", help="only these (stdlib is one too)")
    parser.add_argument("--safe", action="store_true", help="only the safe fixes")
    parser.add_argument("--diff", action="store_true", help="show what each fix changes")
    parser.add_argument("--wider", action="store_true", help="the list `wider` as well")
    options = parser.parse_args()
    rows: Counter[tuple[str, str]] = Counter()
    for package in packages(wider=options.wider, only=options.packages):
        rows += tried(package, safe=options.safe, diff=options.diff)
    codes = sorted({code for code, _ in rows})
    columns = ("with a fix", "mended", "still there", "files changed", "broken", "unstable")
    print(table([(code, *(rows[code, column] for column in columns)) for code in codes], head=("rule", *columns)))


def tried(package: Package, *, safe: bool, diff: bool) -> Counter[tuple[str, str]]:
    """One rule after the other, so that each answers for its own fixes."""
    rows: Counter[tuple[str, str]] = Counter()
    for code, count in fixable(package, safe=safe).items():
        rows[code, "with a fix"] += count
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, package.folder.name)
            shutil.copytree(package.folder, copy, ignore=shutil.ignore_patterns("site-packages", "__pycache__", "*.so"))
            rows += applied(code, copy, safe=safe, diff=diff, count=count)
    return rows


def fixable(package: Package, *, safe: bool) -> Counter[str]:
    return fixable_in(package.folder, "CON", safe=safe)


def fixable_in(folder: Path, select: str, *, safe: bool) -> Counter[str]:
    done = conclint(["check", "--isolated", "--select", select, "--output-format", "json", "."], cwd=folder)
    fixes = [(one["code"], one["fix"]) for one in json.loads(done.stdout or "[]") if one["fix"]]
    return Counter(code for code, fix in fixes if not safe or fix["safety"] == "safe")


def applied(code: str, folder: Path, *, safe: bool, diff: bool, count: int) -> Counter[tuple[str, str]]:
    options = [option for option in FIX if not (safe and option == "--unsafe-fixes")]
    before = contents(folder)
    if diff:
        shown = ["--diff" if option == "--fix" else option for option in options]
        print(conclint([*shown, "--select", code, "."], cwd=folder).stdout)
    done = conclint([*options, "--select", code, "."], cwd=folder)
    if done.returncode not in (0, 1):
        print(f"{folder.name}: {code}: exit status {done.returncode}: {done.stderr.strip()[-500:]}")
    after = contents(folder)
    changed = {path for path in after if after[path] != before[path]}
    conclint([*options, "--select", code, "."], cwd=folder)
    again = contents(folder)
    left = fixable_in(folder, code, safe=safe)[code]
    rows: Counter[tuple[str, str]] = Counter()
    rows[code, "mended"] = count - left
    rows[code, "still there"] = left
    rows[code, "files changed"] = len(changed)
    rows[code, "broken"] = sum(not parses(after[path]) for path in changed)
    rows[code, "unstable"] = sum(again[path] != after[path] for path in after)
    return rows


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in python_files(folder)}


def parses(data: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(data)
        except (SyntaxError, ValueError):
            return False
    return True


if __name__ == "__main__":
    main()
