"""Runs projects' own tests before and after `conclint check --fix`: what passed before has to pass afterwards.

The projects stand in `corpus.toml` under `own-tests`: name and version of a source distribution, what its tests need
besides, and their folder.  Each gets a virtual environment; source and environment are kept in `.own/`.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import venv
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

from corpus import HERE, conclint, pins, table

KEPT = HERE / ".own"
LONGEST = 900  # seconds for one run of a project's tests
PIP = ["-m", "pip", "--quiet", "--disable-pip-version-check"]


class Project(NamedTuple):
    """A source distribution with tests of its own."""

    name: str
    version: str
    needs: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return KEPT / f"{self.name}-{self.version}"

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="*", help="only these")
    parser.add_argument("--unsafe-fixes", action="store_true", help="apply the unsafe fixes too")
    parser.add_argument("--diff", action="store_true", help="show what the fixes change")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background, and tests would inherit that
    rows, broken = [], []
    for project in projects():
        if not options.projects or project.name in options.projects:
            prepare(project)
            row, lost = compared(project, unsafe=options.unsafe_fixes, diff=options.diff)
            rows.append(row)
            broken += [f"{project.name}: {test}" for test in lost]
    print(table(rows, head=("project", "version", "files changed", "passed before", "passed after", "broken")))
    print("\n".join(broken))
    sys.exit(bool(broken))


def projects() -> list[Project]:
    listed: dict[str, dict[str, object]] = dict(pins()["own-tests"])  # type: ignore[call-overload]
    return [
        Project(name, str(one["version"]), tuple(one["needs"]), tuple(one["tests"]))  # type: ignore[arg-type]
        for name, one in listed.items()
    ]


def prepare(project: Project) -> None:
    """The source as it was published, and an environment with what its tests need."""
    if (project.folder / "ready").exists():
        return
    shutil.rmtree(project.folder, ignore_errors=True)
    project.folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        run([sys.executable, *PIP, "download", "--no-deps", "--no-binary", ":all:", "--dest", folder,
             f"{project.name}=={project.version}"])  # fmt: skip
        (packed,) = Path(folder).iterdir()
        with tarfile.open(packed) as archive:
            archive.extractall(folder, filter="data")
        packed.unlink()
        (source,) = Path(folder).iterdir()
        shutil.copytree(source, project.folder / "published")
    venv.create(project.folder / "venv", with_pip=True)
    shutil.copytree(project.folder / "published", project.folder / "source")
    run([str(project.python), *PIP, "install", "pytest", "pytest-timeout", *project.needs])
    run([str(project.python), *PIP, "install", "--editable", str(project.folder / "source")])
    (project.folder / "ready").touch()


def compared(project: Project, *, unsafe: bool, diff: bool) -> tuple[tuple[object, ...], list[str]]:
    source = project.folder / "source"
    before = outcomes(project, published(project))
    published(project)
    options = ["check", "--isolated", "--no-cache", "--exit-zero", *(["--unsafe-fixes"] if unsafe else [])]
    select = ["--select", "CON"]
    if diff:
        print(conclint([*options, *select, "--diff", "."], cwd=source).stdout)
    done = conclint([*options, *select, "--fix", "."], cwd=source)
    if done.returncode != 0:
        print(f"{project.name}: exit status {done.returncode}: {done.stderr.strip()[-1000:]}", file=sys.stderr)
    changed = changes(project)
    after = outcomes(project, source)
    lost = sorted(before - after)
    if lost:  # a test that fails now and then is not the fix's
        lost = sorted(set(lost) - outcomes(project, source))
    row = (project.name, project.version, changed, len(before), len(before) - len(lost), len(lost))
    return row, lost


def published(project: Project) -> Path:
    """The source again as it was, where the environment looks for it."""
    source = project.folder / "source"
    for path in (project.folder / "published").rglob("*.py"):
        target = source / path.relative_to(project.folder / "published")
        if target.read_bytes() != path.read_bytes():
            shutil.copyfile(path, target)
    return source


def changes(project: Project) -> int:
    first, second = project.folder / "published", project.folder / "source"
    return sum(path.read_bytes() != (second / path.relative_to(first)).read_bytes() for path in first.rglob("*.py"))


def outcomes(project: Project, source: Path) -> set[str]:
    """The tests that pass."""
    report = project.folder / "report.xml"
    report.unlink(missing_ok=True)
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", "--timeout", "60"]
    try:
        subprocess.run(
            [str(project.python), *arguments, f"--junitxml={report}", *project.tests],
            cwd=source, capture_output=True, timeout=LONGEST, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"{project.name}: its tests take longer than {LONGEST} seconds", file=sys.stderr)
    cases = ElementTree.parse(report).iter("testcase") if report.exists() else ()
    bad = ("failure", "error", "skipped")
    return {
        f"{case.get('classname')}::{case.get('name')}"
        for case in cases
        if not any(case.find(tag) is not None for tag in bad)
    }


def run(command: list[str]) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
