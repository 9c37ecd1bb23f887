"""A cache saves time and never costs a run, whatever happens to its file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from conclint import cache
from conclint.cache import Cache, default_folder, key, version


def file_of(folder: Path) -> Path:
    (found,) = folder.glob("*.sqlite")
    return found


def test_what_is_written_is_read_by_the_next_run(tmp_path: Path) -> None:
    Cache(tmp_path / "new" / "folder").write({b"a": b"1", b"b": b""})
    assert Cache(tmp_path / "new" / "folder").read([b"a", b"b", b"c"]) == {b"a": b"1", b"b": b""}


def test_thousands_of_entries_at_once(tmp_path: Path) -> None:
    entries = {key(str(number)): b"x" * number for number in range(3000)}
    Cache(tmp_path).write(entries)
    assert Cache(tmp_path).read(entries) == entries


@pytest.mark.parametrize("junk", [b"", b"junk" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_an_empty_cache(tmp_path: Path, junk: bytes) -> None:
    Cache(tmp_path).write({b"a": b"1"})
    file_of(tmp_path).write_bytes(junk)
    damaged = Cache(tmp_path)
    assert damaged.read([b"a"]) == {}
    damaged.write({b"a": b"2"})
    assert Cache(tmp_path).read([b"a"]) == {b"a": b"2"}


def test_damage_anywhere_gives_right_values_or_none(tmp_path: Path) -> None:
    entries = {key(str(number)): bytes([number]) * 900 for number in range(60)}
    Cache(tmp_path).write(entries)
    sound = file_of(tmp_path).read_bytes()
    for begin in range(0, len(sound), 1500):
        file_of(tmp_path).write_bytes(sound[:begin] + b"\xa5" * 700 + sound[begin + 700 :])
        assert Cache(tmp_path).read(entries).items() <= entries.items()
        file_of(tmp_path).write_bytes(sound[: begin + 1])
        assert Cache(tmp_path).read(entries).items() <= entries.items()


def test_another_shape_of_table_is_an_empty_cache(tmp_path: Path) -> None:
    Cache(tmp_path).write({b"a": b"1"})
    with sqlite3.connect(file_of(tmp_path)) as database:
        database.execute("DROP TABLE entries")
        database.execute("CREATE TABLE entries (x)")
    database.close()
    other = Cache(tmp_path)
    assert other.read([b"a"]) == {}
    other.write({b"a": b"1"})
    assert other.read([b"a"]) == {b"a": b"1"}


def test_a_file_in_the_folders_place_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    useless = Cache(tmp_path / "file")
    useless.write({b"a": b"1"})
    assert useless.read([b"a"]) == {}


def test_a_folder_in_the_files_place_is_no_cache(tmp_path: Path) -> None:
    Cache(tmp_path).write({b"a": b"1"})
    file = file_of(tmp_path)
    file.unlink()
    file.mkdir()
    useless = Cache(tmp_path)
    useless.write({b"a": b"1"})
    assert useless.read([b"a"]) == {}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_file_is_read(tmp_path: Path) -> None:
    Cache(tmp_path).write({b"a": b"1"})
    file_of(tmp_path).chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        cached = Cache(tmp_path)
        cached.write({b"b": b"1"})
        assert Cache(tmp_path).read([b"a", b"b"]) == {b"a": b"1"}
    finally:
        tmp_path.chmod(0o700)


def test_a_locked_file_is_an_empty_cache_and_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "PATIENCE", 0.05)
    Cache(tmp_path).write({b"a": b"1"})
    other = sqlite3.connect(file_of(tmp_path), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    waiting = Cache(tmp_path)
    waiting.write({b"b": b"1"})
    assert waiting.read([b"a"]) == {}
    other.execute("COMMIT")
    other.close()
    assert Cache(tmp_path).read([b"a"]) == {b"a": b"1"}


def test_two_runs_at_once_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from conclint.cache import Cache\n"
        "for n in range(20): Cache(Path(sys.argv[1])).write({f'{sys.argv[2]}{n}'.encode(): b'x' * 5000})"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in "abc"]
    assert [run.wait() for run in runs] == [0, 0, 0]
    keys = [f"{name}{number}".encode() for name in "abc" for number in range(20)]
    assert len(Cache(tmp_path).read(keys)) == 60


def test_the_longest_unused_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Cache(tmp_path, largest=400_000)
    monkeypatch.setattr(cache.time, "time", lambda: 10 * 86_400)
    small.write({b"%d" % number: b"x" * 10_000 for number in range(30)})
    monkeypatch.setattr(cache.time, "time", lambda: 11 * 86_400)
    assert small.read([b"0"])
    for begin in range(30, 60, 5):
        small.write({b"%d" % number: b"x" * 10_000 for number in range(begin, begin + 5)})
    left = small.read(b"%d" % number for number in range(60))
    assert b"0" in left
    assert b"1" not in left
    assert b"59" in left
    assert file_of(tmp_path).stat().st_size < 600_000


def test_an_entry_too_large_to_keep_is_not_kept(tmp_path: Path) -> None:
    small = Cache(tmp_path, largest=1000)
    small.write({b"a": b"x" * 900})
    assert small.read([b"a"]) == {}


def test_the_folder_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CONCLINT_CACHE_DIR", raising=False)
    assert default_folder() == tmp_path / "conclint"
    monkeypatch.setenv("CONCLINT_CACHE_DIR", str(tmp_path / "own"))
    assert default_folder() == tmp_path / "own"


def test_keys_tell_their_parts_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert key("ab", "c") != key("a", "bc")
    assert key("a", "") != key("a")
    assert key("\ud800")
    before = key("a")
    monkeypatch.setattr(cache, "version", lambda: "another")
    assert key("a") != before


def test_the_version_follows_our_own_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rule.py").write_text("a")
    monkeypatch.setattr("conclint.__file__", str(tmp_path / "__init__.py"))
    before = version.__wrapped__()
    assert version.__wrapped__() == before
    (tmp_path / "rule.py").write_text("ab")
    assert version.__wrapped__() != before
