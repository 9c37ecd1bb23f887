"""The hooks, as the real pre-commit installs and runs them on a git repository."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
WORKER = "import time\n\n\ndef work(path):\n    time.sleep(len(path))\n"
START = """\
import threading

from worker import work


def begin(path):
    thread = threading.Thread(target=work, args=(path))
    thread.start()
    thread.join()


def begin_by_name():
    thread = threading.Thread(target=work, args=("settings"))
    thread.start()
    thread.join()
"""


@pytest.mark.skipif(find_spec("pre_commit") is None or shutil.which("git") is None, reason="needs pre-commit and git")
def test_try_repo(tmp_path, monkeypatch):
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CONCLINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(variable, raising=False)
    project = tmp_path / "project"
    project.mkdir()
    (project / "worker.py").write_text(WORKER, encoding="utf-8")
    (project / "start.py").write_text(START, encoding="utf-8")
    git(project, "init", "-q")
    git(project, "add", ".")

    # Only the worker is to be committed; the mistake in the other file is found all the same.
    checked = try_hook(project, "conclint", "--files", "worker.py")
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "start.py:13:" in checked.stdout
    assert "CON107" in checked.stdout
    assert (project / "start.py").read_text(encoding="utf-8") == START

    try_hook(project, "conclint-fix", "--files", "start.py")
    assert 'args=("settings",)' in (project / "start.py").read_text(encoding="utf-8")


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def try_hook(project, hook, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", str(REPOSITORY), hook, *arguments],
        cwd=project, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
