"""Two maps, two folds: what a run answers, with little rules of this test's own."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import libcst as cst
import pytest

from conclint import rules
from conclint.cache import Brief, Cache
from conclint.engine import Unit, analysis, check, crew, linked, tasks
from conclint.knowledge import BUILTIN
from conclint.model import Edit, Finding, Fix, Place, Safety, Span
from conclint.program.evidence import Evidence
from conclint.program.triggers import calls
from conclint.rules.rule import Rule
from conclint.settings import Config
from conclint.source.source import Source
from tests.programs import alarms_of

CONFIG = Config(knowledge=BUILTIN)
SLEEPS = calls("time.sleep")
PROGRAM = "import time\n\ndef f():\n    time.sleep(1)\n"


def sleeps(source: Source) -> Iterator[cst.Call]:
    for call in source.all(cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "sleep":
            yield call


def find_sleep(source: Source) -> Iterator[Finding]:
    yield from (Finding(source.place(call), "sleeps") for call in sleeps(source))


def raise_error(source: Source) -> Iterator[Finding]:
    raise ValueError("no\nsecond line")


def nest(source: Source) -> Iterator[Finding]:
    return nest(source)


def die(source: Source) -> Iterator[Finding]:
    if "deadly" in source.path:
        os.kill(os.getpid(), signal.SIGKILL)
    return find_sleep(source)


def conclude_files(evidence: Evidence) -> Iterator[Finding]:
    for path in sorted(file.path for file in evidence.program.files):
        yield Finding(Place(path, Span(1, 1, 1, 2)), f"one of {len(list(evidence.program.files))}")


def conclude_error(evidence: Evidence) -> Iterator[Finding]:
    raise KeyError("lost")


def mend_first(source: Source, finding: Finding) -> Fix | None:
    return Fix("mend", (Edit(finding.place.span, "X"),), Safety.SAFE)


def mend_error(source: Source, finding: Finding) -> Fix | None:
    raise KeyError("lost")


CON101 = Rule("CON101", "sleep", SLEEPS, (), check=find_sleep)
CON102 = Rule("CON102", "opt-in", SLEEPS, (), check=find_sleep, default=False)
CON201 = Rule("CON201", "files", SLEEPS, (), conclude=conclude_files, mend=mend_first)

Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    def use(*some: Rule) -> None:
        monkeypatch.setattr(rules, "all_rules", lambda: some)
        tasks.chosen.cache_clear()

    use(CON101)
    yield use
    tasks.chosen.cache_clear()


def units(**files: str | bytes) -> list[Unit]:
    return [Unit(f"{name}.py", data=text if isinstance(text, bytes) else text.encode()) for name, text in files.items()]


def found(some: Sequence[Unit], config: Config = CONFIG, **options: bool) -> list[str]:
    result = check(some, config, **options)
    assert not result.failures, result.failures
    return [f"{one.path}:{one.span.line}:{one.span.column} {one.code}" for one in result.diagnostics]


def test_findings_are_sorted_by_place(install: Install) -> None:
    assert found(units(b=PROGRAM, a=PROGRAM + "time.sleep(2)\n")) == [
        "a.py:4:5 CON101",
        "a.py:5:1 CON101",
        "b.py:4:5 CON101",
    ]


def test_a_file_named_twice_is_checked_once(install: Install) -> None:
    result = check(units(a=PROGRAM) * 2, CONFIG)
    assert (len(result.diagnostics), result.files) == (1, 1)


def test_what_is_concluded_from_all_files(install: Install) -> None:
    install(CON201)
    assert found(units(a=PROGRAM, b="")) == ["a.py:1:1 CON201", "b.py:1:1 CON201"]


def test_fixes_of_concluded_findings_are_built_on_demand(install: Install) -> None:
    install(CON201)
    assert [one.finding.fix for one in check(units(a=PROGRAM), CONFIG).diagnostics] == [None]
    (one,) = check(units(a=PROGRAM), CONFIG, fixes=True).diagnostics
    assert one.finding.fix is not None
    assert one.finding.fix.edits[0].text == "X"


def test_no_files(install: Install) -> None:
    assert check([], CONFIG).files == 0


# -- selection


@pytest.mark.parametrize(
    ("settings", "codes"),
    [
        ({}, ["CON101"]),
        ({"select": ("CON",)}, ["CON101", "CON102"]),
        ({"select": ("CON102",)}, ["CON102"]),
        ({"extend_select": ("CON102",)}, ["CON101", "CON102"]),
        ({"ignore": ("CON1",)}, []),
        ({"select": ("CON101",), "ignore": ("CON1",)}, ["CON101"]),
        ({"select": ("CON1",), "ignore": ("CON1",)}, []),
        ({"select": ("CON",), "ignore": ("CON101",)}, ["CON102"]),
        ({"extend_select": ("CON1",), "ignore": ("CON10",)}, []),
        ({"select": ("E5",)}, []),
        ({"per_file_ignores": (("a.py", ("CON1",)),)}, []),
        ({"per_file_ignores": (("b.py", ("CON1",)),)}, ["CON101"]),
        ({"per_file_ignores": (("*.py", ("CON2",)), ("a.*", ("CON101",)))}, []),
        ({"select": ("CON101",), "per_file_ignores": (("a.py", ("CON1",)),)}, ["CON101"]),
    ],
)
def test_the_longest_prefix_decides(install: Install, settings: dict[str, tuple[str, ...]], codes: list[str]) -> None:
    install(CON101, CON102)
    assert found(units(a=PROGRAM), replace(CONFIG, **settings)) == [f"a.py:4:5 {code}" for code in codes]


def test_per_file_patterns_count_from_the_project(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    (tmp_path / "tests" / "deep" / "a.py").write_text(PROGRAM)
    config = replace(CONFIG, project=tmp_path, per_file_ignores=(("tests/**", ("CON",)),))
    monkeypatch.chdir(tmp_path / "tests")
    assert found([Unit("deep/a.py")], config) == []
    assert found([Unit(str(tmp_path / "tests" / "deep" / "a.py"))], config) == []


# -- suppression


def test_comments_hide_findings_unless_someone_else_heeds_them(install: Install) -> None:
    program = units(a=PROGRAM.replace("(1)", "(1)  # noqa: CON1"))
    assert found(program) == []
    assert found(program, noqa=False) == ["a.py:4:5 CON101"]


# -- what cannot be read


@pytest.mark.parametrize(
    ("data", "place", "message"),
    [
        (b"x = (\n", "1:5", "cannot be parsed: '(' was never closed"),
        (b"x = 1\ny = \0\n", "2:5", "null byte"),
        ("x".encode("utf-16"), "1:1", "UTF-16"),
        (b"# coding: klingon\n", "1:1", "unknown encoding"),
        (b"(" * 20_000, "1:", "cannot be parsed"),
        (b"x = " + b"-" * 100_000 + b"1", "1:1", "nested too deeply"),
        (b"x = " + b"(" * 150 + b"-" * 30_000 + b"1" + b")" * 150, "1:1", "nested too deeply"),
    ],
)
def test_broken_files_are_findings_and_the_rest_is_checked(
    install: Install, data: bytes, place: str, message: str
) -> None:
    result = check(units(a=data, b=PROGRAM), CONFIG)
    assert result.failures == ()
    broken, other = result.diagnostics
    assert (broken.code, broken.name, other.code) == ("CON001", "unreadable-file", "CON101")
    assert message in broken.finding.message
    assert f"{broken.span.line}:{broken.span.column}".startswith(place)


def test_broken_files_obey_selection_and_no_comment(install: Install) -> None:
    assert found(units(a="x = (  # noqa\n# flake8: noqa\n")) == ["a.py:1:5 CON001"]
    assert found(units(a="x = (\n"), replace(CONFIG, select=("CON1",))) == []
    assert found(units(a="x = (\n"), replace(CONFIG, ignore=("CON0",))) == []
    assert found(units(a="x = (\n"), replace(CONFIG, per_file_ignores=(("a.py", ("CON",)),))) == []


@pytest.mark.parametrize("cache", [None, Brief()])
def test_files_that_are_gone_or_known_to_be_lost(install: Install, tmp_path: Path, cache: Brief | None) -> None:
    program = [Unit(str(tmp_path / "gone.py")), *units(a=PROGRAM)]
    result = check(program, CONFIG, cache=cache, unreadable=[("z.py", "cannot be read: a named pipe")])
    assert [(one.code, one.finding.message) for one in result.diagnostics if one.code == "CON001"] == [
        ("CON001", "cannot be read: No such file or directory"),
        ("CON001", "cannot be read: a named pipe"),
    ]
    assert result.files == 1


def test_deep_elif_chains_are_no_crash(install: Install) -> None:
    chain = "if x == 0:\n    pass\n" + "".join(f"elif x == {n}:\n    time.sleep(1)\n" for n in range(3000))
    result = check(units(a=f"import time\nx = 1\n{chain}", b=PROGRAM), CONFIG)
    assert result.failures == ()
    assert result.diagnostics[-1].path == "b.py"


# -- our own faults


def test_a_rule_that_raises_is_named_and_the_rest_is_reported(install: Install) -> None:
    install(CON101, replace(CON102, default=True, check=raise_error))
    result = check(units(a=PROGRAM), CONFIG)
    assert [one.code for one in result.diagnostics] == ["CON101"]
    assert [(each.path, each.rule) for each in result.failures] == [("a.py", "CON102")]
    assert result.failures[0].error.startswith("ValueError: no")


@pytest.mark.parametrize("rule", [replace(CON201, conclude=conclude_error), replace(CON201, mend=mend_error)])
def test_a_rule_that_raises_in_a_fold(install: Install, rule: Rule) -> None:
    install(CON101, rule)
    result = check(units(a=PROGRAM), CONFIG, fixes=True)
    assert "CON101" in [one.code for one in result.diagnostics]
    assert [(each.rule, each.error) for each in result.failures] == [("CON201", "KeyError: 'lost'")]


def test_a_rule_that_nests_too_deeply(install: Install) -> None:
    install(CON101, replace(CON102, default=True, check=nest))
    result = check(units(a=PROGRAM), CONFIG)
    assert [one.code for one in result.diagnostics] == ["CON101"]
    assert [each.rule for each in result.failures] == ["CON102"]


@pytest.mark.parametrize("room, step", [(linked, "link"), (analysis, "islands")])
def test_a_failing_fold_costs_findings_not_the_run(
    install: Install, monkeypatch: pytest.MonkeyPatch, room: ModuleType, step: str
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("our fault")

    monkeypatch.setattr(room, step, fail)
    result = check(units(a=PROGRAM), CONFIG, unreadable=[("z.py", "cannot be read")])
    assert [each.error for each in result.failures] == ["LookupError: our fault"]
    assert [one.code for one in result.diagnostics] == ["CON001"]


def test_a_file_that_changes_meanwhile_is_named(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    class Restless(Unit):
        """Reads differently each time."""

        def read(self) -> bytes:
            counts.append(0)
            return f"{PROGRAM}# {len(counts)}\n".encode()

    counts: list[int] = []
    result = check([Restless("a.py"), *units(b=PROGRAM)], CONFIG)
    assert [(each.path, each.error) for each in result.failures] == [("a.py", tasks.CHANGED)]
    assert [one.path for one in result.diagnostics] == ["b.py"]


# -- processes


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Unit]:
    monkeypatch.setattr(crew, "LITTLE", 0)
    for number in range(20):
        (tmp_path / f"f{number:02}.py").write_text(PROGRAM + f"# {'x' * number * 50}\n")
    return [Unit(str(file)) for file in sorted(tmp_path.glob("*.py"))]


@pytest.mark.parametrize("cached", [False, True])
def test_processes_find_the_same(install: Install, tree: list[Unit], cached: bool) -> None:
    install(CON101, CON102, CON201)
    here = check(tree, CONFIG, fixes=True)
    assert check(tree, CONFIG, jobs=2, cache=Brief() if cached else None, fixes=True) == here
    assert len(here.diagnostics) == 40


def test_a_file_that_kills_its_worker_is_named(install: Install, tree: list[Unit], tmp_path: Path) -> None:
    install(replace(CON101, check=die))
    (tmp_path / "deadly.py").write_text(PROGRAM)
    result = check([*tree, Unit(str(tmp_path / "deadly.py"))], CONFIG, jobs=2)
    assert [Path(each.path).name for each in result.failures] == ["deadly.py"]
    assert len(result.diagnostics) == 20


def test_progress_counts_to_the_end(install: Install, tree: list[Unit]) -> None:
    seen: list[tuple[str, int, int]] = []
    check(tree, CONFIG, jobs=2, progress=lambda *step: seen.append(step))
    for phase in ("index", "inspect"):
        assert [done for name, done, total in seen if name == phase] == list(range(21))


# -- the cache


class Counted(Brief):
    """Remembers, and how many entries each run added."""

    def __init__(self) -> None:
        super().__init__()
        self.added: list[int] = []

    def write(self, entries: dict[bytes, bytes]) -> None:  # type: ignore[override]
        self.added.append(len(entries))
        super().write(entries)


def test_an_unchanged_tree_is_answered_at_once(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Counted()
    program = units(a=PROGRAM, b="", c="x = (\n")
    first = check(program, CONFIG, cache=cache)
    monkeypatch.setattr(analysis, "Analysis", None)
    assert check(program, CONFIG, cache=cache) == first
    assert len(cache.added) == 1


@pytest.mark.parametrize(
    "changed",
    [
        replace(CONFIG, ignore=("CON9",)),
        replace(CONFIG, free_threaded=True),
        replace(CONFIG, knowledge=replace(BUILTIN, io=frozenset({"my.io"}))),
        replace(CONFIG, per_file_ignores=(("a", ("CON1",)),)),
    ],
)
def test_other_settings_are_another_question(install: Install, changed: Config) -> None:
    cache = Counted()
    check(units(a=PROGRAM), CONFIG, cache=cache)
    check(units(a=PROGRAM), changed, cache=cache)
    assert len(cache.added) == 2


def test_who_asks_for_a_rule_by_name_has_the_program_looked_at_anew(install: Install) -> None:
    cache = Counted()
    check(units(a=PROGRAM), CONFIG, cache=cache)
    check(units(a=PROGRAM), replace(CONFIG, extend_select=("CON101",)), cache=cache)
    assert cache.added == [6, 3]  # the same scenes, but what is looked for was another question


def test_only_what_changed_is_computed_again(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Counted()
    check(units(a=PROGRAM, b=PROGRAM, c=PROGRAM), CONFIG, cache=cache)
    looked: list[str] = []
    real = tasks.inspect
    monkeypatch.setattr(tasks, "inspect", lambda path, *rest: looked.append(path) or real(path, *rest))
    result = check(units(a=PROGRAM, b=PROGRAM + "time.sleep(3)\n", c=PROGRAM), CONFIG, cache=cache)
    assert looked == ["b.py"]
    assert [one.path for one in result.diagnostics] == ["a.py", "b.py", "b.py", "c.py"]
    # An index, a scene and an inspection of each file; the program; what follows from all; and the conclusion.
    assert cache.added == [12, 6]


@pytest.mark.parametrize("change", ["# a remark\n", "\n"])
def test_what_no_other_file_can_see_links_nothing(
    install: Install, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    cache = Counted()
    check(units(a=PROGRAM, b=PROGRAM, c=PROGRAM), CONFIG, cache=cache)
    looked: list[str] = []
    real = tasks.inspect
    monkeypatch.setattr(tasks, "inspect", lambda path, *rest: looked.append(path) or real(path, *rest))
    monkeypatch.setattr(linked, "link", None)
    result = check(units(a=PROGRAM, b=PROGRAM + change, c=PROGRAM), CONFIG, cache=cache)
    assert (looked, result.failures) == (["b.py"], ())
    assert [one.path for one in result.diagnostics] == ["a.py", "b.py", "c.py"]
    assert cache.added == [12, 3]  # the file's index and inspection, and the conclusion


def test_only_the_part_that_changed_is_linked_again(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "SMALLEST", 1)
    there = [Unit("a/x.py", data=PROGRAM.encode()), Unit("b/x.py", data=PROGRAM.encode())]
    cache = Counted()
    first = check(there, CONFIG, cache=cache)
    real, seen = linked.link, []
    monkeypatch.setattr(linked, "link", lambda blobs, *more: seen.append(list(dict(blobs))) or real(blobs, *more))
    changed = Unit("b/x.py", data=(PROGRAM + "time.sleep(3)\n").encode())
    second = check([there[0], changed], CONFIG, cache=cache)
    assert seen == [["b/x.py"]]
    assert [one.path for one in first.diagnostics] == ["a/x.py", "b/x.py"]
    assert [one.path for one in second.diagnostics] == ["a/x.py", "b/x.py", "b/x.py"]


def test_a_lost_scene_is_made_again(install: Install) -> None:
    cache = Counted()
    check(units(a=PROGRAM, b=PROGRAM), CONFIG, cache=cache)
    for name, data in list(cache._entries.items()):
        if data.startswith(b'["b.py",[['):
            cache._entries[name] = b"{"
    result = check(units(a=PROGRAM, b=PROGRAM + "# a remark\n"), CONFIG, cache=cache)
    assert [one.path for one in result.diagnostics] == ["a.py", "b.py"]
    assert result.failures == ()


def test_failures_are_not_remembered(install: Install) -> None:
    cache = Counted()
    install(replace(CON101, check=raise_error))
    assert check(units(a=PROGRAM), CONFIG, cache=cache).failures
    install(CON101)
    assert found(units(a=PROGRAM)) == ["a.py:4:5 CON101"]
    assert check(units(a=PROGRAM), CONFIG, cache=cache).failures == ()


def test_damaged_entries_are_computed_again(install: Install, tmp_path: Path) -> None:
    first = check(units(a=PROGRAM), CONFIG, cache=Cache(tmp_path))
    (file,) = tmp_path.glob("*.sqlite")
    with sqlite3.connect(file) as database:
        database.execute("UPDATE entries SET value = x'ff'")
    database.close()
    assert check(units(a=PROGRAM), CONFIG, cache=Cache(tmp_path)) == first


def test_an_unchanged_tree_loads_no_heavy_library(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import threading\nthreading.Thread(target=print).start()\n")
    code = """
import sys
from pathlib import Path
from conclint.cache import Cache
from conclint.engine import Unit, check
from conclint.knowledge import BUILTIN
from conclint.settings import Config
check([Unit(sys.argv[1])], Config(knowledge=BUILTIN), cache=Cache(Path(sys.argv[2])))
print([name for name in ("libcst._nodes", "concurrent.futures", "conclint.rules") if name in sys.modules])
"""
    command = [sys.executable, "-c", code, str(tmp_path / "a.py"), str(tmp_path / "cache")]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert runs[1] == "[]\n"


def test_a_broken_file_stops_no_rule() -> None:
    program = "import threading\nimport a\nfrom a import x\n\nn = 0\n\ndef work():\n    global n\n    n += 1\n\n"
    program += "for _ in range(2):\n    threading.Thread(target=work).start()\nprint(x, a)\n"
    raised = alarms_of({"a.py": "x = (\n", "b.py": program}, "CON")
    assert {"CON001", "CON301"} <= {alarm.code for alarm in raised}


def test_an_interrupt_that_an_import_hides_is_still_one():
    hidden = RuntimeError("Error calling __set_name__")
    hidden.__cause__ = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        tasks.told(hidden)
    assert tasks.told(KeyError("x")) == "KeyError: 'x'"
