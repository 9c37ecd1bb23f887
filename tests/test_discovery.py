"""Which files are read, and what is said of the paths that are not."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from conclint.discovery import Loss, discover
from conclint.globs import Globs


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(*names: str) -> None:
        for name in names:
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()

    return make


def files(*paths: str, exclude: tuple[str, ...] = (), project: Path | None = None) -> list[str]:
    found = discover(paths or (".",), Globs(exclude), project)
    assert found.troubles == ()
    return list(found.files)


def troubles(*paths: str) -> list[tuple[str, Loss]]:
    return [(trouble.path, trouble.loss) for trouble in discover(paths or (".",), Globs(())).troubles]


def test_python_files_below_in_order(tree):
    tree("b.py", "a/z.py", "a/y.pyw", "a/x.pyi", "a/w.txt", "c/py")
    assert files() == ["a/y.pyw", "a/z.py", "b.py"]


def test_paths_are_named_as_the_user_names_them(tree, tmp_path):
    tree("a/x.py")
    assert files("./a") == ["a/x.py"]
    assert files(str(tmp_path)) == [f"{tmp_path.as_posix()}/a/x.py"]
    os.chdir("a")
    assert files("../a") == ["../a/x.py"]


def test_a_file_is_read_once(tree, tmp_path):
    tree("a/x.py")
    assert files("a", "a/x.py", str(tmp_path), "./a/../a") == ["a/x.py"]


def test_a_named_file_is_taken_whatever_its_name(tree):
    tree("script", "venv/x.py", "stub.pyi")
    assert files("script", "venv/x.py", "stub.pyi", exclude=("script", "venv")) == ["script", "stub.pyi", "venv/x.py"]


def test_what_is_left_out_by_itself(tree):
    tree("a.py", *(f"{name}/x.py" for name in (".git", ".venv", "venv", "node_modules", "__pycache__", "build")))
    tree(*(f"deep/{name}/x.py" for name in (".tox", ".nox", ".mypy_cache", ".eggs", "lib/site-packages")))
    assert files() == ["a.py"]


def test_a_package_may_be_called_build(tree):
    tree("src/build/__init__.py", "src/build/plan.py", "build/x.py")
    assert files() == ["src/build/__init__.py", "src/build/plan.py"]


def test_a_named_folder_is_read_in_spite_of_what_it_is_or_lies_in(tree):
    tree(".venv/lib/site-packages/x/a.py", ".venv/lib/site-packages/x/build/b.py", "gen/c/d.py", "gen/c/skip/e.py")
    assert files(".venv/lib/site-packages/x") == [".venv/lib/site-packages/x/a.py"]
    assert files("gen/c", exclude=("gen", "skip")) == ["gen/c/d.py"]
    assert files("gen/c", exclude=("gen/**",)) == ["gen/c/d.py", "gen/c/skip/e.py"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("tests", ["a.py", "src/a.py"]),
        ("tests/", ["a.py", "src/a.py"]),
        ("tests/**", ["a.py", "src/a.py", "src/tests/b.py"]),
        ("./tests/*.py", ["a.py", "src/a.py", "src/tests/b.py", "tests/sub/c.py"]),
        ("/tests", ["a.py", "src/a.py", "src/tests/b.py"]),
        ("**/b.py", ["a.py", "src/a.py", "tests/a.py", "tests/sub/c.py"]),
        ("src/*/b.py", ["a.py", "src/a.py", "tests/a.py", "tests/sub/c.py"]),
        ("a.??", ["src/tests/b.py", "tests/sub/c.py"]),
        ("[a].py", ["a.py", "src/a.py", "src/tests/b.py", "tests/a.py", "tests/sub/c.py"]),
    ],
)
def test_exclude(tree, pattern, left):
    tree("a.py", "src/a.py", "src/tests/b.py", "tests/a.py", "tests/sub/c.py")
    assert files(exclude=(pattern,)) == left


def test_exclude_counts_from_the_project(tree, tmp_path):
    tree("src/tests/b.py", "src/a.py", "tests/c.py")
    os.chdir("src")
    assert files(exclude=("src/tests",), project=tmp_path) == ["a.py"]
    assert files(exclude=("tests/**",), project=tmp_path) == ["a.py", "tests/b.py"]


def test_no_such_path_and_the_rest_is_checked(tree):
    tree("a.py")
    found = discover(["gone", "a.py", "nul\0l"], Globs(()))
    assert found.files == ("a.py",)
    assert [(trouble.path, trouble.loss) for trouble in found.troubles] == [
        ("gone", Loss.UNKNOWN),
        ("nul\0l", Loss.UNKNOWN),
    ]


def test_broken_link_and_link_to_itself_are_files_that_cannot_be_read(tree):
    tree("a.py")
    os.symlink("nowhere.py", "broken.py")
    os.symlink("self.py", "self.py")
    os.symlink("nowhere", "not-python")
    assert troubles() == [("broken.py", Loss.FILE), ("self.py", Loss.FILE)]


def test_links_to_files_are_followed_but_no_file_is_read_twice(tree, tmp_path):
    tree("proj/b.py", "elsewhere/c.py")
    os.symlink("b.py", "proj/a.py")
    os.symlink(tmp_path / "elsewhere" / "c.py", "proj/c_link.py")
    assert files("proj") == ["proj/b.py", "proj/c_link.py"]


def test_links_to_folders_are_not_followed_and_a_loop_is_named(tree, tmp_path):
    tree("proj/sub/a.py", "elsewhere/c.py")
    os.symlink("..", "proj/sub/up")
    os.symlink(tmp_path / "elsewhere", "proj/side")
    assert troubles("proj") == [("proj/sub/up", Loss.NOTHING)]
    assert list(discover(["proj"], Globs(())).files) == ["proj/sub/a.py"]
    assert files("proj/side") == ["proj/side/c.py"]


def test_pipes_sockets_and_devices_are_not_opened(tree, tmp_path):
    tree("a.py")
    os.mkfifo("pipe.py")
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("sock.py")
        found = discover([".", "pipe", os.devnull], Globs(()))
    assert found.files == ("a.py",)
    assert {(trouble.path, trouble.message) for trouble in found.troubles} == {
        ("pipe", "cannot be read: it is a named pipe"),
        ("pipe.py", "cannot be read: it is a named pipe"),
        ("sock.py", "cannot be read: it is a socket"),
        (os.devnull, "cannot be read: it is a device"),
    }


def test_a_folder_that_may_not_be_read(tree, monkeypatch):
    tree("a.py", "closed/b.py")
    scandir = os.scandir

    def refuse(folder):
        if folder == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    found = discover(["."], Globs(()))
    assert found.files == ("a.py",)
    (trouble,) = found.troubles
    assert (trouble.path, trouble.message) == ("closed", "cannot be read: Permission denied")
    assert trouble.loss is Loss.UNKNOWN


def test_a_tree_deeper_than_pythons_stack(tree, tmp_path):
    here = os.open(".", os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d")
        os.chdir("d")
    Path("x.py").touch()
    os.fchdir(here)
    os.close(here)
    (only,) = files()
    assert only == "d/" * 300 + "x.py"


def test_names_that_are_not_text(tree):
    with open(b"a\xff.py", "w"):
        pass
    (only,) = files()
    assert os.fsencode(only) == b"a\xff.py"


def test_a_folder_called_like_a_file(tree):
    tree("pkg.py/x.py")
    assert files() == ["pkg.py/x.py"]
