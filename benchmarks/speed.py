"""Times conclint against its peers: each goal as a ratio of medians over the same files, in one run.

Nothing else should be running on the machine.  Slow peers see the smaller `--share` of the corpus, and so does
conclint where it is compared with them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from corpus import HERE, REPOSITORY, packages, python_files, table
from findings import worktree

CONCLINT = [sys.executable, "-m", "conclint"]
CHECK = [*CONCLINT, "check", "--isolated", "--select", "CON"]
RUFF = [str(Path(sys.executable).with_name("ruff")), "check", "--isolated", "--quiet", "--no-respect-gitignore"]
RUFF_RULES = [*RUFF, "--select", "ASYNC,PLW,RUF006", "--preview"]
FLAKE8_ASYNC = [str(Path(sys.executable).with_name("flake8-async")), "--enable", "ASYNC"]
PYLINT = [
    sys.executable, "-m", "pylint", "-j2", "--rcfile", os.devnull, "--disable=all",
    "--enable=bad-thread-instantiation,useless-with-lock", "--score=n",
]  # fmt: skip
FLAKE8 = [sys.executable, "-m", "flake8", "--isolated", "-j2", "--select", "E9,F"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONHASHSEED": "0"}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody's conclint is compiled anew in each run
SETTLE = 2.5  # seconds until conclint believes that a file's times are final


class Cost(NamedTuple):
    """What one process and all it started used."""

    seconds: float
    cpu: float
    megabytes: float  # of the largest of them


class Row(NamedTuple):
    what: str
    goal: str
    measured: str
    numbers: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="medians of so many runs")
    parser.add_argument("--share", type=int, default=4, help="slow peers see one file in so many")
    parser.add_argument("--only", help="only the measurements whose name contains this")
    parser.add_argument("--base", metavar="REV", help="what a cold run costs, against that revision; nothing else")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.runs, options.share)
        if options.base:
            print(table(bench.against_base(options.base), head=("what", "goal", "measured", "seconds of CPU")))
            return
        for name, measure in bench.measurements().items():
            if options.only and options.only not in name:
                continue
            rows = measure()
            print(table(rows, head=("what", "goal", "measured", "seconds")) + "\n", flush=True)


class Bench:
    """The corpus, copied once, and what is measured on it."""

    def __init__(self, folder: Path, runs: int, share: int) -> None:
        self._folder, self._runs, self._share = folder, runs, share
        self._cache = folder / "cache"
        self._parts: dict[int, Path] = {}

    def measurements(self) -> dict[str, Callable[[], list[Row]]]:
        return {
            "version": self.version,
            "ruff": self.against_ruff,
            "flake8-async": self.against_flake8_async,
            "pylint": self.against_pylint,
            "flake8": self.against_flake8,
            "growth": self.growth,
            "parser": self.parser_share,
            "editor": self.editor,
        }

    def version(self) -> list[Row]:
        ours = self._seconds([*CONCLINT, "--version"], runs=15)
        click = self._seconds([sys.executable, "-c", "import click"], runs=15)
        return [ratio("conclint --version against `import click`", "at most 1.5", ours, click)]

    def against_ruff(self) -> list[Row]:
        files = self._part(1)
        cold = self._seconds(self._cold(files))
        ruff_cold = self._seconds([*RUFF_RULES, "--no-cache", str(files)])
        warm = [*CHECK, "--jobs", "2", "--cache-dir", str(self._cache), str(files)]
        self._run(warm)
        unchanged = self._seconds(warm)
        ruff = [*RUFF_RULES, "--cache-dir", str(self._folder / "ruff"), str(files)]
        self._run(ruff)
        ruff_unchanged = self._seconds(ruff)
        remark = self._seconds(warm, before=lambda: self._change(files, "# {}"))
        function = self._seconds(warm, before=lambda: self._change(files, "def once_{}():\n    return time.time()"))
        ruff_changed = self._seconds(ruff, before=lambda: self._change(files, "# {}"))
        return [
            ratio("cold, against ruff", "at most 12", cold, ruff_cold),
            ratio("nothing changed, against ruff --no-cache", "at most 1", unchanged, ruff_cold),
            ratio("nothing changed, against ruff's own cache", "at most 1", unchanged, ruff_unchanged),
            ratio("a remark in one file, against ruff --no-cache", "at most 3", remark, ruff_cold),
            ratio("a remark in one file, against ruff's own cache", "at most 3", remark, ruff_changed),
            ratio("a new function in one file, against ruff --no-cache", "at most 3", function, ruff_cold),
            ratio("a new function in one file, against ruff's own cache", "at most 3", function, ruff_changed),
        ]

    def against_flake8_async(self) -> list[Row]:
        files = self._part(self._share)
        ours = self._seconds(self._cold(files))
        theirs = self._seconds([*FLAKE8_ASYNC, *map(str, python_files(files))], runs=1)
        return [faster("cold, against flake8-async", 60, theirs, ours)]

    def against_pylint(self) -> list[Row]:
        files = self._part(self._share)
        ours = self._seconds(self._cold(files))
        theirs = self._seconds([*PYLINT, *map(str, python_files(files))], runs=1)
        return [faster("cold, against pylint -j2, threading checks only", 20, theirs, ours)]

    def against_flake8(self) -> list[Row]:
        """For the reader: no goal."""
        files = self._part(self._share)
        ours = self._seconds(self._cold(files))
        theirs = self._seconds([*FLAKE8, str(files)], runs=1)
        return [faster("cold, against flake8 -j2 --select E9,F", None, theirs, ours)]

    def against_base(self, revision: str) -> list[Row]:
        """CPU time of a cold run, with all rules and without those that have come in some families since."""
        files = self._part(1)
        with worktree(revision) as source:
            before = {**ENVIRONMENT, "PYTHONPATH": str(source)}
            old, base = codes(before), self._cost(self._cold(files), environment=before).cpu
        new = codes(ENVIRONMENT) - old
        rows = []
        for what, ignored in [("all", ""), ("families 0, 3, 4, 9", "12568"), ("families 1, 2, 5, 6, 8", "0349")]:
            without = ",".join(sorted(code for code in new if code[3] in ignored))
            cost = self._cost([*self._cold(files), *(("--ignore", without) if without else ())]).cpu
            rows.append(ratio(f"with the new rules of {what}" if ignored else "with all new rules", "", cost, base))
        return rows

    def growth(self) -> list[Row]:
        """Of one file in so many, whose imports lead nowhere for the most part; and of whole packages."""
        whole = self._sized(self._part(1))
        files = {share: self._sized(self._part(share)) for share in (10, 3)}
        packages_ = {share: self._sized(self._whole_packages(share)) for share in (10, 3)}
        rows = [self._growth(f"1/{share}", files[share], whole) for share in files]
        rows += [self._growth(f"whole packages, 1/{share}", packages_[share], whole) for share in packages_]
        for share, (size, cost) in {**files, 1: whole}.items():
            numbers = f"{cost.seconds:.2f}, cpu {cost.cpu:.2f}, {size / 1e6:.1f} MB of source"
            rows.append(Row(f"memory per process, 1/{share}", "at most 200 MB", f"{cost.megabytes:.0f} MB", numbers))
        return rows

    def _sized(self, files: Path) -> tuple[int, Cost]:
        return sum(path.stat().st_size for path in python_files(files)), self._cost(self._cold(files))

    def _growth(self, name: str, part: tuple[int, Cost], whole: tuple[int, Cost]) -> Row:
        code, cost = whole[0] / part[0], whole[1].cpu / part[1].cpu
        what = f"all against {name}: {code:.1f} times the code"
        return Row(what, f"at most {code * 1.05:.1f}", f"{cost:.1f} times the time", f"cpu {part[1].cpu:.2f}")

    def parser_share(self) -> list[Row]:
        done = subprocess.run(
            [sys.executable, str(HERE / "parser_share.py"), str(self._part(1))],
            env=ENVIRONMENT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        parse, inspect, total = map(float, done.stdout.split())
        numbers = f"parser {parse:.2f}, inspect {inspect:.2f}, whole run {total:.2f}"
        return [Row("libcst's parser, of inspect's CPU time", "at least 40 %", f"{parse / inspect:.0%}", numbers)]

    def editor(self) -> list[Row]:
        """What the plugin adds to a flake8 that has parsed its file: import and run, in a new process each time."""
        rows = []
        stdlib = Path(os.__file__).parent
        for name, goal, source in [
            ("concurrent", 60, stdlib / "concurrent/futures/process.py"),
            ("nothing concurrent", 2, stdlib / "configparser.py"),
        ]:
            rows += self._latencies(name, goal, source)
        return rows

    def _latencies(self, name: str, goal: int, source: Path) -> list[Row]:
        alone = self._folder / f"alone-{source.stem}"
        alone.mkdir()
        text = source.read_text(encoding="utf-8").splitlines(keepends=True)
        (alone / "it.py").write_text("".join(text[:1000]), encoding="utf-8")
        project = self._folder / f"project-{source.stem}"
        shutil.copytree(next(each.folder for each in packages() if each.name == "distributed"), project)
        (project / "pyproject.toml").write_text("[tool.conclint]\n", encoding="utf-8")
        shutil.copy(alone / "it.py", project / "distributed" / "it.py")
        time.sleep(SETTLE)
        lines = min(len(text), 1000)
        measured = [
            (f"{name}, {lines} lines, no project", self._latency(alone / "it.py", edited="")),
            (
                f"{name}, {lines} lines, in a project of 150 files",
                self._latency(project / "distributed/it.py", edited=""),
            ),
            (f"{name}, the same, a remark", self._latency(project / "distributed/it.py", edited="# {}")),
            (f"{name}, the same, a function", self._latency(project / "distributed/it.py", edited="def f{}(): pass")),
        ]
        return [Row(what, f"at most {goal} ms", f"{seconds * 1000:.1f} ms", "") for what, seconds in measured]

    def _latency(self, path: Path, *, edited: str) -> float:
        command = [sys.executable, str(HERE / "editor_latency.py"), str(path)]
        environment = {**ENVIRONMENT, "CONCLINT_CACHE_DIR": str(self._cache)}
        seconds = []
        for number in range(7 + 2):  # the first two fill the cache
            if edited:
                with path.open("a", encoding="utf-8") as out:
                    out.write(f"{edited.format(number)}\n")
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            seconds.append(float(done.stdout))
        return statistics.median(seconds[2:])

    def _cold(self, files: Path) -> list[str]:
        return [*CHECK, "--jobs", "2", "--no-cache", str(files)]

    def _part(self, share: int) -> Path:
        """A copy of one file in so many, of every package."""
        if share not in self._parts:
            target = self._folder / f"files-{share}"
            number = 0
            for package in packages():
                for path in python_files(package.folder):
                    number += 1
                    if number % share == 0:
                        copy = target / package.folder.name / path.relative_to(package.folder)
                        copy.parent.mkdir(parents=True, exist_ok=True)
                        shutil.copyfile(path, copy)
            self._parts[share] = target
        return self._parts[share]

    def _whole_packages(self, share: int) -> Path:
        """Copies of packages, in the order of their names, that are so much of the whole together."""
        target = self._folder / f"packages-{share}"
        sizes = {each: sum(path.stat().st_size for path in python_files(each.folder)) for each in packages()}
        left = sum(sizes.values()) / share
        for package, size in sizes.items():
            if size <= left * 1.1:
                left -= size
                for path in python_files(package.folder):
                    copy = target / package.folder.name / path.relative_to(package.folder)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, copy)
        return target

    def _change(self, files: Path, added: str) -> None:
        path = next(path for path in python_files(files) if path.name == "worker.py")
        with path.open("a", encoding="utf-8") as out:
            out.write(f"\n{added.format(time.time_ns())}\n")

    def _seconds(
        self, command: Sequence[str], *, runs: int | None = None, before: Callable[[], None] | None = None
    ) -> float:
        return self._cost(command, runs=runs, before=before).seconds

    def _cost(
        self,
        command: Sequence[str],
        *,
        runs: int | None = None,
        before: Callable[[], None] | None = None,
        environment: Mapping[str, str] = ENVIRONMENT,
    ) -> Cost:
        costs = []
        for _ in range(runs or self._runs):
            if before is not None:
                before()
            costs.append(self._run(command, environment))
        return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))

    def _run(self, command: Sequence[str], environment: Mapping[str, str] = ENVIRONMENT) -> Cost:
        began = time.perf_counter()
        with (self._folder / "output").open("w") as out:
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=self._folder)
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said = (self._folder / "output").read_text(errors="replace")
        if process.returncode < 0 or "Traceback" in said or said.startswith(("usage:", "error:")):
            print(f"{' '.join(command)[:200]}: exit status {process.returncode}, {said[:300]}", file=sys.stderr)
        return Cost(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def codes(environment: Mapping[str, str]) -> set[str]:
    """The codes of all rules of the conclint that lies there."""
    command = [*CONCLINT, "rule", "--list"]
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=HERE).stdout
    return {line.split()[0] for line in listed.splitlines() if line.startswith("CON")}


def ratio(what: str, goal: str, ours: float, theirs: float) -> Row:
    return Row(what, goal, f"{ours / theirs:.2f}", f"{ours:.3f} / {theirs:.3f}")


def faster(what: str, goal: int | None, theirs: float, ours: float) -> Row:
    shown = "-" if goal is None else f"at least {goal} times faster"
    return Row(what, shown, f"{theirs / ours:.1f} times faster", f"{theirs:.2f} / {ours:.2f}")


if __name__ == "__main__":
    main()
