"""The plugin as real flake8 processes run it, against what `conclint check` says of the same files."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent

import pytest

from conclint import stamps
from conclint.flake8_plugin import Plugin, may_run_beside
from conclint.knowledge import BUILTIN
from conclint.one_file import alarms
from conclint.rules import all_rules
from conclint.rules.rule import Bad

REPOSITORY = Path(__file__).parent.parent
DEMO = REPOSITORY / "fixtures" / "demo"
INSTALLED = any(entry.value == "conclint.flake8_plugin:Plugin" for entry in entry_points(group="flake8.extension"))
LOCAL = f"""
[flake8:local-plugins]
extension =
    CON = conclint.flake8_plugin:Plugin
paths = {REPOSITORY}
"""
LINE = re.compile(r"(?P<path>[^:\n]+):(?P<line>\d+):(?P<column>\d+): (?P<code>CON\d+) (?P<message>.*)")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("CONCLINT_CACHE_DIR", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    return folder


@pytest.fixture
def project(tmp_path):
    """The demo as a project of its own."""
    folder = tmp_path / "project"
    shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pyproject.toml").write_text("[tool.conclint]\n", encoding="utf-8")
    return folder


def run(folder, *arguments, stdin=None):
    (folder / ".flake8").write_text("[flake8]\n" + ("" if INSTALLED else LOCAL), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "flake8", *arguments],
        cwd=folder, input=stdin, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def found(output):
    return {
        (Path(match["path"]).as_posix(), int(match["line"]), int(match["column"]), match["code"], match["message"])
        for match in LINE.finditer(output)
    }


def checked(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "conclint", "check", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return found(done.stdout)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_says_what_the_command_says(project, jobs):
    """Also findings that need other files, also twice, also in several processes."""
    expected = checked(project)
    assert len({path for path, *_ in expected}) == 5
    for _ in range(2):
        assert found(run(project, "--select=CON", f"-j{jobs}", "sitereport")) == expected


def test_one_file_of_a_project(project):
    expected = {one for one in checked(project) if one[0] == "sitereport/state.py"}
    assert expected
    assert found(run(project, "--select=CON", "sitereport/state.py")) == expected


def test_standard_input_stands_for_the_file(project):
    """As editors call it: the text is newer than the disk's, the rest of the project is on disk."""
    text = "# one line more\n" + (project / "sitereport/state.py").read_text(encoding="utf-8")
    (line,) = [one for one in checked(project) if one[0] == "sitereport/state.py"]
    output = run(project, "--select=CON", "--stdin-display-name=sitereport/state.py", "-", stdin=text)
    assert found(output) == {(line[0], line[1] + 1, *line[2:])}
    fixed = text.replace("fetched_bytes += len(body)", "pass")
    assert found(run(project, "--select=CON", "--stdin-display-name=sitereport/state.py", "-", stdin=fixed)) == set()


def test_a_change_elsewhere_is_seen(project):
    """The worker is no thread's any more, so its state is not shared; nothing in the file itself has changed."""
    assert found(run(project, "--select=CON", "sitereport/state.py"))
    path = project / "sitereport/cli.py"
    path.write_text(path.read_text(encoding="utf-8").replace("crawl(urls)\n    report", "report"), encoding="utf-8")
    path.write_text(
        re.sub(r"def crawl.*?\n\n\ndef", "def", path.read_text(encoding="utf-8"), flags=re.S), encoding="utf-8"
    )
    assert not found(run(project, "--select=CON", "sitereport/state.py"))


def test_flake8s_own_options_and_comments(project):
    path = project / "sitereport/state.py"
    text = path.read_text(encoding="utf-8")
    assert "CON301" in run(project, "--select=CON3", "sitereport")
    assert "CON" not in run(project, "--select=E,F", "sitereport")
    assert "CON301" not in run(project, "--select=CON", "--extend-ignore=CON3", "sitereport")
    path.write_text(text.replace("# expect: CON301", "# noqa: CON301"), encoding="utf-8")
    assert "CON301" not in run(project, "--select=CON", "sitereport")
    assert "CON301" in run(project, "--select=CON", "--disable-noqa", "sitereport")


def test_the_projects_configuration_holds(project):
    (project / "pyproject.toml").write_text('[tool.conclint]\nignore = ["CON5"]\n', encoding="utf-8")
    assert {one[3] for one in found(run(project, "--select=CON", "sitereport"))} == {one[3] for one in checked(project)}
    assert "CON510" not in run(project, "--select=CON", "sitereport")


def test_a_broken_configuration_is_said(project):
    (project / "pyproject.toml").write_text("[tool.conclint]\nselekt = []\n", encoding="utf-8")
    output = run(project, "--select=CON", "sitereport/state.py")
    assert "CON000" in output
    assert "selekt" in output


def test_a_file_without_a_project(tmp_path):
    text = "import threading\n\n\ndef start(work):\n    threading.Thread(target=print, args=('ab')).start()\n"
    (tmp_path / "alone.py").write_text(text, encoding="utf-8")
    assert "CON107" in run(tmp_path, "--select=CON", "alone.py")
    assert "CON107" in run(tmp_path, "--select=CON", "-", stdin=text)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xef\xbb\xbfimport threading\nthreading.Thread(target=f, args=('a'))\n", id="byte order mark"),
        pytest.param(b"# -*- coding: latin-1 -*-\nimport threading\nx = '\xe9'\n", id="latin-1"),
        pytest.param(b"import threading\nx = '\xe9'\n", id="wrong encoding"),
        pytest.param(b"# coding: nonsense\nimport threading\n", id="unknown encoding"),
        pytest.param(b"import threading\r\nthreading.Thread(target=f,\r\n  args=('a'))\r\n", id="other newlines"),
        pytest.param(b"import threading\rthreading.Thread()\r", id="old newlines"),
        pytest.param(b"import threading\n\x0cx = 1\n", id="form feed"),
        pytest.param(b"import threading\nx = (\n", id="syntax error"),
        pytest.param(
            b"import threading\nx = '\0'\n",
            id="null",
            marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="flake8 itself fails there"),
        ),
        pytest.param(b"import threading\nx = " + b"(" * 150 + b")" * 150 + b"\n", id="many parentheses"),
    ],
)
def test_odd_files(project, data):
    (project / "odd.py").write_bytes(data)
    run(project, "--select=CON", "odd.py")


def test_a_failure_is_said_and_does_not_stop_flake8(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "conclint.one_file", None)
    path = tmp_path / "a.py"
    path.write_text("import threading\n", encoding="utf-8")
    ((line, column, message, kind),) = Plugin(ast.parse(""), str(path), ["import threading\n"]).run()
    assert (line, column, kind) == (1, 0, Plugin)
    assert message.startswith("CON000 ")


def test_the_gate_knows_all_names_of_the_tables():
    """A file that stands alone is not even looked at when none of these occurs in it."""
    names = {*BUILTIN.spawners, *BUILTIN.locks} - {"subprocess.Popen"}  # whose spawning argument is a word of its own
    assert not [name for name in names if not may_run_beside(f"import {name}")]


def test_of_a_bad_example_that_stands_alone_there_is_nothing_to_say(tmp_path):
    """The gate saves the look at files that would be silent anyway."""
    texts = {dedent(one.code) for rule in all_rules() for one in rule.examples if isinstance(one, Bad)}
    held_back = sorted(text for text in texts if not may_run_beside(text))
    assert {text: found for text in held_back if (found := list(alarms(str(tmp_path / "example.py"), text)))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "from concurrent import futures\n",
        "if x:\n    import os, threading as th\n",
        "try: from multiprocessing.pool import ThreadPool\nexcept ImportError: pass\n",
        "import os; import asyncio\n",
        "Popen(command, preexec_fn=work)\n",
    ],
)
def test_the_gate_lets_through(text):
    assert may_run_beside(text)


@pytest.mark.parametrize("text", ["import os\n# threading\n", "import threads\n"])
def test_the_gate_holds_back(text):
    assert not may_run_beside(text)


def test_most_files_load_nothing_heavy(project, cache):
    """Once the project is known, neither libcst nor sqlite nor the engine is loaded for a file."""
    seen = stamps.watch(str(project))
    answer = {"sitereport/state.py": [(9, 5, "CON301 remembered")]}
    stamps.remember(str(cache), stamps.Stamp(str(project), seen, answer), now=2**63)
    code = (
        "import sys; from conclint.flake8_plugin import Plugin;"
        f"path = {str(project / 'sitereport/state.py')!r}; lines = open(path).readlines();"
        "print(list(Plugin(None, path, lines).run())[0][:3]);"
        "print([name for name in ('libcst', 'conclint.engine', 'click', 'dataclasses') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=project)
    assert done.stdout.splitlines() == ["(9, 4, 'CON301 remembered')", "[]"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root: (root / "sitereport/fetch.py").write_text("x = 1\n"), id="a file changed"),
        pytest.param(lambda root: (root / "sitereport/fetch.py").unlink(), id="a file gone"),
        pytest.param(lambda root: (root / "sitereport/new.py").write_text(""), id="a file more"),
        pytest.param(lambda root: (root / "tools").mkdir(), id="a folder more"),
        pytest.param(lambda root: (root / "pyproject.toml").write_text("[tool.conclint]\n\n"), id="other settings"),
        pytest.param(lambda root: (root / "sitereport/conclint.toml").write_text(""), id="settings further down"),
        pytest.param(lambda root: (root.parent / "conclint.toml").write_text(""), id="settings further up"),
    ],
)
def test_a_stamp_is_for_one_state(project, tmp_path, change):
    stamp = stamps.Stamp(str(project), stamps.watch(str(project)), {})
    stamps.remember(str(tmp_path), stamp, now=2**63)
    assert stamps.recall(str(tmp_path), str(project)) is not None
    change(project)
    stamps._recall.cache_clear()
    assert stamps.recall(str(tmp_path), str(project)) is None


def test_swap_files_of_editors_do_not_count(project, tmp_path):
    stamps.remember(str(tmp_path), stamps.Stamp(str(project), stamps.watch(str(project)), {}), now=2**63)
    (project / "sitereport/.state.py.swp").write_text("", encoding="utf-8")
    stamps._recall.cache_clear()
    assert stamps.recall(str(tmp_path), str(project)) is not None


def test_what_changed_a_moment_ago_is_not_believed(project, tmp_path):
    stamps.remember(str(tmp_path), stamps.Stamp(str(project), stamps.watch(str(project)), {}))
    assert stamps.recall(str(tmp_path), str(project)) is None


@pytest.mark.parametrize("content", ["", "[]", "null", '["x"]', "{", "[1,2,3,4]", '["0", "r", [], {}]'])
def test_a_damaged_stamp_is_none(project, tmp_path, content):
    file = Path(stamps._file(str(tmp_path), str(project)))
    file.parent.mkdir()
    file.write_text(content, encoding="utf-8")
    assert stamps.recall(str(tmp_path), str(project)) is None
