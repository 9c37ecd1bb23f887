"""What a project may write down, and what it is told when it writes something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from conclint.config import KEYS, load
from conclint.knowledge.kinds import Context, Knowledge, LockKind, Spawner, Target
from conclint.settings import Config
from conclint.toml import ConfigError

CODES = ("CON001", "CON101", "CON301", "CON901")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(project: Path, text: str, name: str = "pyproject.toml", builtin: Knowledge | None = None) -> Config:
    (project / name).write_text(text, encoding="utf-8")
    return load(project, CODES, builtin or Knowledge())


def refusal(project: Path, text: str, name: str = "pyproject.toml") -> str:
    with pytest.raises(ConfigError) as error:
        read(project, text, name)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_nothing_written_down(project):
    assert load(project, CODES, Knowledge()) == Config()


def test_every_key(project):
    config = read(
        project,
        """
        [tool.conclint]
        select = ["CON3", "CON"]
        ignore = ["CON101"]
        extend-select = ["CON901"]
        per-file-ignores = { "tests/*" = ["CON1"], "setup.py" = [] }
        exclude = ["generated"]
        src = ["src"]
        target-version = "py312"
        free-threaded = true
        """,
    )
    assert config == Config(
        select=("CON3", "CON"),
        ignore=("CON101",),
        extend_select=("CON901",),
        per_file_ignores=(("tests/*", ("CON1",)), ("setup.py", ())),
        exclude=("generated",),
        src=("src",),
        target_version=(3, 12),
        free_threaded=True,
        project=project,
    )


def test_a_file_of_ones_own(project):
    assert read(project, 'select = ["CON1"]', "conclint.toml").select == ("CON1",)


def test_a_named_file_wins_over_those_above(project):
    (project / "pyproject.toml").write_text('[tool.conclint]\nselect = ["CON1"]')
    (project / "other.toml").write_text('select = ["CON3"]')
    assert load(project, CODES, Knowledge(), file=project / "other.toml").select == ("CON3",)


def test_it_is_found_above_files_and_folders_and_above_other_tables(project):
    (project / "a" / "b").mkdir(parents=True)
    (project / "a" / "b" / "c.py").touch()
    (project / "a" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    (project / "pyproject.toml").write_text('[tool.conclint]\nselect = ["CON1"]')
    for start in ("a/b/c.py", "a/b", "a/b/missing.py"):
        config = load(project / start, CODES, Knowledge())
        assert (config.select, config.project) == (("CON1",), project)


def test_without_a_table_the_nearest_project_still_says_what_it_runs_on(project):
    config = read(
        project,
        """
        [project]
        requires-python = ">=3.9,<4"
        classifiers = ["Programming Language :: Python :: Free Threading :: 2 - Beta"]
        """,
    )
    assert (config.target_version, config.free_threaded, config.project) == ((3, 9), True, project)


@pytest.mark.parametrize(
    ("declared", "version"),
    [(">=3.11", (3, 11)), ("~=3.12", (3, 12)), (">=3.8, !=3.9.1, >=3.10.2", (3, 10)), ("<4", (3, 10)), (">=3", (3, 0))],
)
def test_the_oldest_python_that_a_project_runs_on(project, declared, version):
    assert read(project, f'[project]\nrequires-python = "{declared}"').target_version == version


def test_settings_win_over_what_the_project_declares(project):
    text = '[project]\nrequires-python = ">=3.9"\n[tool.conclint]\ntarget-version = "3.13"'
    assert read(project, text).target_version == (3, 13)


def test_knowledge_is_added(project):
    known = Knowledge(io=frozenset({"open"}))
    config = read(
        project,
        """
        [tool.conclint.knowledge]
        thread-safe = ["lib.Box"]
        io = ["lib.fetch"]
        blocking = ["lib.wait"]
        releases-gil = ["lib.crunch"]
        holds-gil = ["lib.loop"]
        [tool.conclint.knowledge.spawners]
        "lib.run" = { context = "thread", target-position = 1, keyword = "fn", many = true }
        "lib.go" = { context = "event loop" }
        "lib.named" = { context = "process", keyword = "fn" }
        "lib.Worker" = { context = "thread", target = "methods", methods = ["work"] }
        [tool.conclint.knowledge.locks]
        "lib.Gate" = { among = "process", reentrant = true }
        "lib.Mutex" = {}
        """,
        builtin=known,
    ).knowledge
    assert config.io == {"open", "lib.fetch"}
    assert (config.thread_safe, config.blocking) == ({"lib.Box"}, {"lib.wait"})
    assert (config.releases_gil, config.holds_gil) == ({"lib.crunch"}, {"lib.loop"})
    assert config.spawners == {
        "lib.run": Spawner(Context.THREAD, position=1, keyword="fn", many=True),
        "lib.go": Spawner(Context.LOOP),
        "lib.named": Spawner(Context.PROCESS, position=None, keyword="fn"),
        "lib.Worker": Spawner(Context.THREAD, Target.METHODS, methods=("work",)),
    }
    assert config.locks == {
        "lib.Gate": LockKind(Context.PROCESS, reentrant=True),
        "lib.Mutex": LockKind(Context.THREAD),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("selct = []", "tool.conclint.selct: unknown key; did you mean select?"),
        ("zebra = 1", f"tool.conclint.zebra: unknown key; expected one of {', '.join(KEYS)}"),
        ('select = "CON1"', "tool.conclint.select: expected a list of strings, found 'CON1'"),
        ("ignore = [1]", "tool.conclint.ignore: expected a list of strings, found [1]"),
        ('select = ["CON902"]', "tool.conclint.select: unknown code 'CON902'; did you mean CON901?"),
        ('ignore = [""]', "tool.conclint.ignore: unknown code ''; `conclint rule --list` shows all"),
        ("free-threaded = 1", "tool.conclint.free-threaded: expected true or false, found 1"),
        ("target-version = 3.10", "tool.conclint.target-version: expected a string, found 3.1"),
        ('target-version = "2.7"', 'target-version: expected a version like "3.10" or "py310", found \'2.7\''),
        ("per-file-ignores = []", "tool.conclint.per-file-ignores: expected a table, found []"),
        ('per-file-ignores = {"a/*.py" = "CON1"}', 'per-file-ignores."a/*.py": expected a list of strings'),
        ("knowledge.spawnres = {}", "tool.conclint.knowledge.spawnres: unknown key; did you mean spawners?"),
        ('knowledge.spawners."a.b" = {}', "spawners.\"a.b\".context: missing; expected one of 'main', 'thread'"),
        ('knowledge.spawners.f = {context="tread"}', "spawners.f.context: expected one of 'main', 'thread', "),
        ('knowledge.spawners.f = {context="thread", target-position=-1}', "expected a number from 0, found -1"),
        ('knowledge.spawners.f = {context="thread", target-position=true}', "expected a number from 0, found true"),
        ('knowledge.spawners.f = "thread"', "spawners.f: expected a table, found 'thread'"),
        ("knowledge.locks.f = {reentrent=true}", "locks.f.reentrent: unknown key; did you mean reentrant?"),
    ],
)
def test_what_does_not_fit_is_named(project, text, said):
    line = refusal(project, f"[tool.conclint]\n{text}")
    assert line.startswith("pyproject.toml: tool.conclint.")
    assert said in line


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[tool.conclint]\nselect = [\n]]", "pyproject.toml:3: broken TOML: "),
        (b"x = 1\nx = 2\n", "pyproject.toml:2: broken TOML: cannot overwrite a value"),
        (b'x = """', "pyproject.toml: broken TOML: "),
        (b"x = '\xff'", "pyproject.toml: expected TOML in UTF-8"),
    ],
)
def test_broken_toml_has_its_line(project, data, said):
    (project / "pyproject.toml").write_bytes(data)
    with pytest.raises(ConfigError) as error:
        load(project, CODES, Knowledge())
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_a_byte_order_mark_is_not_broken(project):
    (project / "pyproject.toml").write_bytes(b'\xef\xbb\xbf[tool.conclint]\nselect = ["CON1"]\r\n')
    assert load(project, CODES, Knowledge()).select == ("CON1",)


def test_two_configurations_in_one_folder(project):
    (project / "conclint.toml").write_text("")
    assert refusal(project, "[tool.conclint]\n") == (
        "conclint.toml and pyproject.toml: [tool.conclint] too; keep one of the two"
    )


def test_a_project_beside_a_configuration_of_its_own_is_one(project):
    (project / "conclint.toml").write_text('select = ["CON1"]')
    config = read(project, '[project]\nrequires-python = ">=3.12"')
    assert (config.select, config.target_version) == (("CON1",), (3, 12))


def test_a_named_file_must_be_there_and_have_the_table(project):
    with pytest.raises(ConfigError, match=r"^none\.toml: cannot be read: No such file"):
        load(project, CODES, Knowledge(), file=Path("none.toml"))
    (project / "pyproject.toml").write_text("")
    with pytest.raises(ConfigError, match=r"^pyproject\.toml: expected a table \[tool\.conclint\]$"):
        load(project, CODES, Knowledge(), file=Path("pyproject.toml"))


def test_odd_tables_of_other_tools_are_not_ours_to_judge(project):
    assert read(project, "project = 3\n[tool.conclint]").target_version == (3, 10)
    assert read(project, "[project]\nrequires-python = 3\nclassifiers = 1").free_threaded is False
