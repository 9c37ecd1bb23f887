"""The pinned packages, where they lie, and the conclint that is run over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
FOLDERS = {"packages": HERE / ".corpus", "wider": HERE / ".wider"}  # by list in corpus.toml
PINNED = HERE / "corpus.toml"


class Package(NamedTuple):
    """One program: a package at a version, and the folder with its Python files."""

    name: str
    version: str
    folder: Path


class Found(NamedTuple):
    """A finding of one package; `path` is relative to the package's folder."""

    package: str
    version: str
    path: str
    line: int
    column: int
    code: str
    message: str
    notes: tuple[str, ...] = ()


def pins() -> dict[str, object]:
    with PINNED.open("rb") as file:
        return tomllib.load(file)


def pinned(*, wider: bool = True) -> list[Package]:
    """What `corpus.toml` lists, fetched or not; `wider` adds what is only read for verdicts, not measured for speed."""
    lists = pins()
    return [
        Package(name, version, folder / f"{name}-{version}")
        for kind, folder in FOLDERS.items()
        if wider or kind != "wider"
        for name, version in dict(lists[kind]).items()  # type: ignore[call-overload]
    ]


def packages(*, stdlib: bool = True, wider: bool = False, only: Iterable[str] = ()) -> list[Package]:
    """What has been fetched, and the running interpreter's standard library."""
    found = pinned(wider=wider or bool(only))
    if stdlib:
        version = ".".join(map(str, sys.version_info[:3]))
        found.append(Package("stdlib", version, Path(sysconfig.get_path("stdlib"))))
    wanted = set(only)
    chosen = [each for each in found if not wanted or each.name in wanted]
    missing = [each.name for each in chosen if not each.folder.is_dir()]
    if missing:
        sys.exit(f"not fetched: {', '.join(missing)}; run `python benchmarks/fetch.py`")
    return chosen


def python_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        if not {"site-packages", "__pycache__"} & set(path.relative_to(folder).parts):
            yield path


def conclint(
    arguments: Sequence[str], *, source: Path = REPOSITORY, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The `conclint` of the checkout at `source`."""
    return subprocess.run(
        [sys.executable, "-m", "conclint", *arguments],
        env={**os.environ, "PYTHONPATH": str(source)}, cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


def findings(package: Package, *, select: str = "CON", source: Path = REPOSITORY) -> list[Found]:
    """All findings of one package, taken as one program; those that are made by default, where nothing is selected."""
    selected = ["--select", select] if select else []
    done = conclint(
        ["check", "--isolated", *selected, "--output-format", "json", "."], source=source, cwd=package.folder
    )
    if done.returncode not in (0, 1):
        print(f"{package.name}: exit status {done.returncode}: {done.stderr.strip()[-2000:]}", file=sys.stderr)
    return [
        Found(
            package.name, package.version, one["path"], one["line"], one["column"], one["code"], one["message"],
            tuple(f"{note['path']}:{note['line']}: {note['message']}" for note in one["notes"]),
        )
        for one in json.loads(done.stdout or "[]")
    ]  # fmt: skip


def table(rows: Sequence[Sequence[object]], *, head: Sequence[str]) -> str:
    """Columns as wide as they must be; numbers to the right."""
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    right = [all(isinstance(row[column], (int, float)) for row in rows) for column in range(len(head))]
    lines = []
    for row in cells:
        padded = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)
