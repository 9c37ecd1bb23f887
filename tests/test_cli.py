"""The command as users and their scripts meet it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

from conclint import __version__
from conclint.cli import commands, main
from conclint.progress import Progress

BROKEN = "def (:\n"
RACE = """\
import threading

total = 0


def add():
    global total
    for _ in range(1000):
        total += 1


def work():
    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return total
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONCLINT_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def conclint(project, capfd):
    """Runs the command in this process; its status, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main(arguments)
        return status, *capfd.readouterr()

    return run


def start(*arguments: str, **settings) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "conclint", *arguments]
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **settings}
    paths = os.pathsep.join(filter(None, (str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths}, **settings)


def test_nothing_found(conclint, project):
    (project / "a.py").write_text("x = 1\n")
    assert conclint("check") == (0, "", "")


def test_findings(conclint, project):
    (project / "bad.py").write_text(BROKEN)
    (project / "ok.py").write_text("x = 1\n")
    status, out, err = conclint("check", ".")
    assert (status, err) == (1, "")
    assert out.startswith("bad.py:1:") and ": CON001 " in out
    assert conclint("check", "--exit-zero", ".")[0] == 0


def test_no_python_files(conclint):
    assert conclint("check") == (0, "", "conclint: no Python files found\n")


def test_no_such_path_and_the_rest_is_checked(conclint, project):
    (project / "bad.py").write_text(BROKEN)
    status, out, err = conclint("check", "--exit-zero", "gone.py", "bad.py")
    assert status == 2
    assert err == "conclint: gone.py: cannot be read: No such file or directory\n"
    assert out.startswith("bad.py:1:")


def test_what_cannot_be_read_is_a_finding(conclint, project):
    os.symlink("nowhere", project / "broken.py")
    os.mkfifo(project / "pipe.py")
    status, out, _ = conclint("check")
    assert status == 1
    assert out.splitlines() == [
        "broken.py:1:1: CON001 cannot be read: No such file or directory",
        "pipe.py:1:1: CON001 cannot be read: it is a named pipe",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "--selct", "CON1"], "'--selct'"),
        (["check", "--output-format", "xml"], "'xml'"),
        (["check", "--jobs", "0"], "0 is not in the range"),
        (["check", "--select", "CON999"], "--select: unknown code 'CON999'"),
        (["check", "--ignore", "CON001,ZZ"], "--ignore: unknown code 'ZZ'"),
        (["check", "--extend-select", "con001"], "--extend-select: unknown code 'con001'; did you mean CON001?"),
        (["check", "--config", "none.toml"], "none.toml: cannot be read: No such file or directory"),
        (["check", "--config", "x.toml", "--isolated"], "two configurations"),
        (["check", "--unsafe-fixes"], "--unsafe-fixes needs --fix or --diff"),
        (["check", "-", "a.py"], "takes no other paths"),
        (["check", "--stdin-filename", "a.py", "b.py"], "--stdin-filename"),
        (["rule", "CON00l"], "no rule 'CON00l'"),
        (["chek"], "'chek'"),
    ],
)
def test_what_it_cannot_do_is_one_line_and_status_2(conclint, arguments, said):
    status, out, err = conclint(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("conclint: ") and err.count("\n") == 1
    assert said in err


def test_a_configuration_that_does_not_fit(conclint, project):
    (project / "pyproject.toml").write_text("[tool.conclint]\nignore = 'CON001'\n")
    assert conclint("check") == (
        2,
        "",
        "conclint: pyproject.toml: tool.conclint.ignore: expected a list of strings, found 'CON001'\n",
    )
    assert conclint("check", "--isolated")[0] == 0


def test_codes_are_chosen_by_configuration_and_options(conclint, project):
    (project / "pyproject.toml").write_text('[tool.conclint]\nignore = ["CON001"]\n')
    (project / "bad.py").write_text(BROKEN)
    assert conclint("check")[0] == 0
    assert conclint("check", "--isolated")[0] == 1
    assert conclint("check", "--ignore", "")[0] == 1
    assert conclint("check", "--isolated", "--ignore", "CON0, CON001")[0] == 0


def test_per_file_ignores(conclint, project):
    (project / "pyproject.toml").write_text('[tool.conclint.per-file-ignores]\n"old/*" = ["CON001"]\n')
    for name in ("old/bad.py", "new/bad.py"):
        (project / name).parent.mkdir()
        (project / name).write_text(BROKEN)
    _, out, _ = conclint("check")
    assert [line.split(":")[0] for line in out.splitlines()] == ["new/bad.py"]


def test_a_race_with_its_evidence(conclint, project):
    (project / "a.py").write_text(RACE)
    status, out, _ = conclint("check", "--output-format", "json", "--select", "CON301")
    (finding,) = json.loads(out)
    assert (status, finding["code"], finding["line"], finding["path"]) == (1, "CON301", 9, "a.py")
    assert any(note["line"] == 13 for note in finding["notes"])


def test_formats(conclint, project):
    (project / "bad.py").write_text(BROKEN)
    assert "  1 | def (:" in conclint("check", "--output-format", "full")[1]
    assert json.loads(conclint("check", "--output-format", "json")[1])[0]["name"] == "unreadable-file"
    sarif = json.loads(conclint("check", "--output-format", "sarif")[1])
    assert sarif["runs"][0]["tool"]["driver"]["rules"][0]["shortDescription"]["text"]
    assert conclint("check", "--output-format", "github")[1].startswith("::error file=bad.py,line=1,")


def test_statistics(conclint, project):
    (project / "bad.py").write_text(BROKEN)
    assert conclint("check", "--statistics")[1].splitlines()[-1] == "1 CON001 unreadable-file"
    _, out, err = conclint("check", "--statistics", "--output-format", "json")
    assert (len(json.loads(out)), err) == (1, "1 CON001 unreadable-file\n")


def test_standard_input(project):
    with start("check", "-", stdin=subprocess.PIPE) as process:
        out, err = process.communicate(BROKEN)
    assert (process.returncode, err) == (1, "")
    assert out.startswith("stdin:1:")
    with start("check", "--stdin-filename", "src/a.py", "-", stdin=subprocess.PIPE) as process:
        assert process.communicate(BROKEN)[0].startswith("src/a.py:1:")


def test_standard_input_is_judged_by_the_configuration_of_its_name(project):
    (project / "sub").mkdir()
    (project / "sub" / "conclint.toml").write_text('ignore = ["CON001"]')
    with start("check", "--stdin-filename", "sub/a.py", "-", stdin=subprocess.PIPE) as process:
        process.communicate(BROKEN)
    assert process.returncode == 0


STATE = """
    count = 0


    def add():
        global count
        count += 1
"""
STARTS = """
    import threading
    import state

    for number in range(3):
        threading.Thread(target=state.add).start()
"""


def test_standard_input_is_judged_in_its_project(project):
    (project / "pyproject.toml").touch()
    (project / "state.py").write_text("count = 0\n")
    (project / "app.py").write_text(dedent(STARTS))
    with start("check", "--stdin-filename", "state.py", "-", stdin=subprocess.PIPE) as process:
        out, _ = process.communicate(dedent(STATE))
    assert [line.split()[:2] for line in out.splitlines()] == [["state.py:7:5:", "CON301"]]
    fix = ["--select", "CON301", "--fix", "--unsafe-fixes"]
    with start("check", *fix, "--stdin-filename", "state.py", "-", stdin=subprocess.PIPE) as process:
        out, _ = process.communicate(dedent(STATE))
    assert "with count_lock:" in out
    assert (project / "state.py").read_text() == "count = 0\n"


def test_diff_changes_nothing_and_fix_does(conclint, project):
    text = "import threading\n\nworker = threading.Thread(target=print, args=(7))\n"
    (project / "a.py").write_text(text)
    status, out, err = conclint("check", "--select", "CON107", "--diff")
    assert (status, err) == (1, "")
    assert "-worker = threading.Thread(target=print, args=(7))\n+" in out
    assert (project / "a.py").read_text() == text
    assert conclint("check", "--select", "CON107", "--fix") == (0, "", "conclint: mended 1 finding in 1 file\n")
    assert (project / "a.py").read_text() == text.replace("(7)", "(7,)")
    assert conclint("check", "--select", "CON107", "--diff") == (0, "", "")


def test_fixed_standard_input_goes_to_standard_output(project):
    text = "import threading\n\nworker = threading.Thread(target=print, args=(7))\n"
    with start("check", "--select", "CON107", "--fix", "-", stdin=subprocess.PIPE) as process:
        out, err = process.communicate(text)
    assert (process.returncode, out, err) == (0, text.replace("(7)", "(7,)"), "")


def test_colour(conclint, project, monkeypatch):
    (project / "bad.py").write_text(BROKEN)
    assert "\x1b[" not in conclint("check")[1]
    assert "\x1b[" in conclint("check", "--color")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in conclint("check")[1]
    assert "\x1b[" not in conclint("check", "--no-color")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in conclint("check")[1]


def test_a_cache_that_cannot_be_used_costs_nothing_but_time(conclint, project):
    (project / "bad.py").write_text(BROKEN)
    (project / "file").touch()
    expected = conclint("check", "--no-cache")
    assert conclint("check", "--cache-dir", str(project / "file")) == expected
    assert conclint("check", "--cache-dir", str(project / "new")) == expected == conclint("check")
    assert (project / "new").is_dir()


def test_a_closed_pipe_ends_quietly_with_the_status_of_the_run(project):
    for number in range(300):
        (project / f"{'long' * 40}{number}.py").write_text(BROKEN)
    with start("check") as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 1)


def test_a_full_disk_below_standard_output_is_said(project):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    (project / "bad.py").write_text(BROKEN)
    with open("/dev/full", "w") as full, start("check", stdout=full) as process:
        assert process.stderr
        err = process.stderr.read()
    assert (process.returncode, err) == (2, "conclint: the output cannot be written: No space left on device\n")


def test_an_interrupt_ends_quietly(project):
    os.mkfifo(project / "settings.toml")
    # The pipe opens here when the run has come to read it there.
    with start("check", "--config", "settings.toml") as process, open(project / "settings.toml", "w"):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err.strip()) == (130, "", "")


def test_an_error_of_our_own_is_no_finding(project, monkeypatch):
    (project / "sitecustomize.py").write_text("import conclint.cli\nconclint.cli.main = lambda arguments: 1 / 0\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(project), str(Path(__file__).parent.parent))))
    with start("check") as process:
        _, err = process.communicate()
    assert process.returncode == 2
    assert err == "conclint: internal error: ZeroDivisionError: division by zero (sitecustomize.py:2)\n"


def test_version_and_help(conclint):
    assert conclint("--version") == (0, f"conclint {__version__}\n", "")
    status, out, _ = conclint("check", "--help")
    assert (status, "--output-format" in out) == (0, True)
    assert conclint("check", "-h")[0] == 0


def test_what_a_version_costs_is_click():
    """Neither rules nor libcst, nor anything else that a run needs."""
    code = "import sys, conclint.__main__, conclint.cli; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True)
    ours = {name for name in loaded.stdout.split() if name.startswith(("conclint", "libcst"))}
    assert ours == {"conclint", "conclint.__main__", "conclint.cli", "conclint.output", "conclint.report"}


@pytest.mark.parametrize("word", ["CON001", "con001", "unreadable-file"])
def test_one_rule_is_explained(conclint, word):
    status, out, err = conclint("rule", word)
    assert (status, err) == (0, "")
    assert out.startswith("CON001 unreadable-file\n\n")


def test_all_rules_are_explained_listed_and_tabled(conclint):
    headings = [line for line in conclint("rule")[1].splitlines() if line.startswith("CON")]
    listed = conclint("rule", "--list")[1].splitlines()
    assert len(headings) == len(listed) == len(conclint("rule", "--table")[1].splitlines()) - 2


def test_the_shell_completes(project, monkeypatch):
    monkeypatch.setenv("_CONCLINT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "conclint ch")
    monkeypatch.setenv("COMP_CWORD", "1")
    with start() as process:
        assert process.communicate()[0] == "plain,check\n"


def test_the_command_runs_under_clicks_own_runner(project):
    result = CliRunner().invoke(commands, ["--version"])
    assert (result.exit_code, result.output) == (0, f"conclint {__version__}\n")


class Terminal:
    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("waited", [0.0, 3.0])
def test_progress_is_shown_to_those_who_wait(monkeypatch, waited):
    terminal, now = Terminal(), 100.0
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("time.monotonic", lambda: now)
    with Progress() as progress:
        now += waited
        progress("index", 3, 40)
        progress("index", 4, 40)
    assert terminal.text == ("\r\x1b[Kconclint: index: 3 of 40\r\x1b[K" if waited else "")


def test_no_progress_in_a_log(monkeypatch, capsys):
    monkeypatch.setattr("conclint.progress.PATIENCE", 0)
    with Progress() as progress:
        progress("index", 3, 40)
    assert capsys.readouterr().err == ""


def test_names_that_are_not_text(project):
    with open(os.path.join(os.fsencode(tempfile.mkdtemp(dir=project)), b"a\xff.py"), "w") as file:
        file.write(BROKEN)
    with start("check") as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (1, "")
    assert "a\\udcff.py:1:" in out
