"""Lists the findings on the corpus by rule, or what changed against another revision."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus import REPOSITORY, Found, Package, findings, packages, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", help="only these (stdlib is one too)")
    parser.add_argument("--select", default="CON", help="codes, as for `conclint check`")
    parser.add_argument("--base", metavar="REV", help="show what changed since that revision")
    parser.add_argument("--count", action="store_true", help="only how many, by rule and package")
    parser.add_argument("--wider", action="store_true", help="the list `wider` as well")
    options = parser.parse_args()
    chosen = packages(wider=options.wider, only=options.packages)
    found = [one for package in chosen for one in findings(package, select=options.select)]
    if options.base:
        show_changes(base_findings(options.base, chosen, options.select), found)
    elif not options.count:
        show(found)
    show_counts(found)


def base_findings(revision: str, chosen: list[Package], select: str) -> list[Found]:
    with worktree(revision) as source:
        return [one for package in chosen for one in findings(package, select=select, source=source)]


@contextmanager
def worktree(revision: str) -> Iterator[Path]:
    """A checkout of that revision, beside this one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "base")
        git = ["git", "-C", str(REPOSITORY), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(path), revision], check=True)
        try:
            yield path
        finally:
            subprocess.run([*git, "remove", "--force", str(path)], check=True)


def show(found: list[Found]) -> None:
    for one in sorted(found, key=lambda one: (one.code, one)):
        print(line_of(one))
        for note in one.notes:
            print(f"    {note}")


def show_changes(before: list[Found], after: list[Found]) -> None:
    """By place and code: a message that reads differently is no change."""
    old, new = {place_of(one): one for one in before}, {place_of(one): one for one in after}
    for sign, here, there in (("-", old, new), ("+", new, old)):
        for place in sorted(here.keys() - there.keys()):
            print(sign, line_of(here[place]))
    print(f"{len(new.keys() - old.keys())} more, {len(old.keys() - new.keys())} fewer, {len(old)} before\n")


def show_counts(found: list[Found]) -> None:
    by_code = Counter(one.code for one in found)
    by_package = Counter((one.code, one.package) for one in found)
    rows = [
        (code, count, ", ".join(f"{package} {n}" for (key, package), n in by_package.most_common() if key == code))
        for code, count in sorted(by_code.items())
    ]
    print(table(rows, head=("rule", "findings", "where")))


def place_of(one: Found) -> tuple[str, str, str, int]:
    return one.code, one.package, one.path, one.line


def line_of(one: Found) -> str:
    return f"{one.package}-{one.version}/{one.path}:{one.line}:{one.column}: {one.code} {one.message}"


if __name__ == "__main__":
    main()
