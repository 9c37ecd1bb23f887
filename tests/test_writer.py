"""A fixed file is there whole, or the old one is."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conclint import writer
from conclint.writer import Change, diff, write


def change(file: Path, after: bytes = b"new\n") -> Change:
    return Change("shown.py", str(file), file.read_bytes(), after, ("CON101",))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_bytes(b"old\n")
    return tmp_path / "a.py"


def test_the_file_is_replaced_and_its_permissions_are_kept(file: Path) -> None:
    file.chmod(0o751)
    assert write(change(file)) is None
    assert file.read_bytes() == b"new\n"
    assert file.stat().st_mode & 0o777 == 0o751
    assert list(file.parent.iterdir()) == [file]


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "other" / "link.py"
    link.parent.mkdir()
    link.symlink_to(file)
    assert write(change(link)) is None
    assert link.is_symlink()
    assert file.read_bytes() == b"new\n"


def test_a_file_changed_meanwhile_is_not_overwritten(file: Path) -> None:
    mended = change(file)
    file.write_bytes(b"newer\n")
    assert "changed since" in str(write(mended))
    assert file.read_bytes() == b"newer\n"


def test_a_file_gone_meanwhile_is_not_made_again(file: Path) -> None:
    mended = change(file)
    file.unlink()
    assert "No such file" in str(write(mended))
    assert list(file.parent.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_without_permission_nothing_is_written(file: Path) -> None:
    file.chmod(0o444)
    assert "no permission" in str(write(change(file)))
    file.chmod(0o644)
    file.parent.chmod(0o555)
    try:
        assert "Permission denied" in str(write(change(file)))
    finally:
        file.parent.chmod(0o755)
    assert file.read_bytes() == b"old\n"


def test_a_read_only_file_is_left_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer.os, "access", lambda *_: False)
    assert "no permission" in str(write(change(file)))
    assert file.read_bytes() == b"old\n"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    file: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer.os, step, full)
    assert write(change(file)) == "not fixed: No space left on device"
    assert file.read_bytes() == b"old\n"
    assert list(file.parent.iterdir()) == [file]


def test_ctrl_c_leaves_the_old_file_and_nothing_else(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writer.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(change(file))
    assert file.read_bytes() == b"old\n"
    assert list(file.parent.iterdir()) == [file]


def test_a_diff_as_other_programs_write_it() -> None:
    assert diff(Change("a/b.py", "x", b"1\n2\n3", b"1\n2!\n3", ())).splitlines() == [
        "--- a/b.py",
        "+++ a/b.py",
        "@@ -1,3 +1,3 @@",
        " 1",
        "-2",
        "+2!",
        " 3",
        "\\ No newline at end of file",
    ]


def test_a_diff_in_a_files_own_encoding() -> None:
    assert "+é" in diff(Change("a.py", "a.py", b"# coding: latin-1\n", b"# coding: latin-1\n\xe9\n", ()))


PIECES = st.lists(st.sampled_from(["a", "b", "\n", "\r\n", "\r", "ü", "\x0c", "\u2028"]), max_size=20).map("".join)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
@settings(max_examples=25)
@given(before=PIECES, after=PIECES)
def test_git_applies_the_diff(before: str, after: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("diff")
    (folder / "x.py").write_bytes(before.encode())
    text = diff(Change("x.py", "x.py", before.encode(), after.encode(), ()))
    if not before or not after or before == after:
        return  # for git, an empty file has come or gone
    command = ["git", "apply", "-p0", "--unidiff-zero", "--whitespace=nowarn", "-"]
    subprocess.run(command, cwd=folder, input=text.encode(), check=True, capture_output=True)
    assert (folder / "x.py").read_bytes() == after.encode()
