"""What earlier runs computed, in one sqlite file of the user's cache folder.

An entry's key is a digest of everything its value was computed from, so entries never go stale; they only go unused,
and the longest unused go first when the file is full.  Nothing here can fail a run: a cache that is damaged, locked,
full or not writable is an empty one.

The file is opened for each batch, never across a fork.  A rollback journal rather than write-ahead logging: home
folders lie on network drives too, and one short transaction per run leaves nothing to gain.  After a power cut the file
may be damaged, since we do not wait for the disk; every value carries a checksum, and a damaged file is made anew.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Final, Protocol, TypeVar

import conclint

T = TypeVar("T")

SCHEMA: Final = 1  # names the file, so that two versions of conclint need not agree on what lies in it
LARGEST: Final = 512 * 2**20
PATIENCE: Final = 3.0  # seconds to wait for another run that is writing
DAY: Final = 86_400
BATCH: Final = 500  # sqlite's smallest limit on variables in a statement is 999

# What sqlite says of a file that is sound but not to be had now; anything else is damage.
PASSING: Final = ("locked", "busy", "full", "readonly", "unable to open", "disk i/o")


class Entries(Protocol):
    """What a run may know already, and remembers."""

    def read(self, keys: Iterable[bytes]) -> dict[bytes, bytes]: ...

    def write(self, entries: Mapping[bytes, bytes]) -> None: ...


class Brief:
    """Entries that last as long as the process: for runs that check one tree several times without a cache."""

    def __init__(self) -> None:
        self._entries: dict[bytes, bytes] = {}

    def read(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        return {name: self._entries[name] for name in keys if name in self._entries}

    def write(self, entries: Mapping[bytes, bytes]) -> None:
        self._entries.update(entries)


class Cache:
    """The entries in `folder`; safe under several runs at once."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self._file = folder / f"entries-{SCHEMA}.sqlite"
        self._largest = largest
        self._usable = True

    def read(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values of those keys that are known and sound."""
        wanted = list(keys)
        found = self._attempt(lambda database: _read(database, wanted)) if wanted else None
        return {} if found is None else found

    def write(self, entries: Mapping[bytes, bytes]) -> None:
        """Remember all of them, in one transaction."""
        if entries:
            self._attempt(lambda database: _write(database, entries, self._largest))

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What `work` answers; after damage it gets a second, fresh file; None when there is no cache to be had."""
        for _ in range(2):
            if not self._usable:
                break
            try:
                with closing(_open(self._file)) as database:
                    return work(database)
            except sqlite3.OperationalError as error:
                self._usable = not _passing(error) and self._discard()
            except (sqlite3.Error, ValueError, OverflowError):
                self._usable = self._discard()
            except OSError:
                self._usable = False
        return None

    def _discard(self) -> bool:
        try:
            for end in ("-journal", ""):
                Path(f"{self._file}{end}").unlink(missing_ok=True)
        except OSError:
            return False
        return True


def default_folder() -> Path | None:
    """Where this user's caches belong; None for a user without a home."""
    if own := os.environ.get("CONCLINT_CACHE_DIR"):
        return Path(own)
    if (shared := os.environ.get("XDG_CACHE_HOME")) and os.path.isabs(shared):
        return Path(shared) / "conclint"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "conclint" / "Cache"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "conclint"


@cache
def version() -> str:
    """Stands for the running code: a changed rule, library or interpreter never meets an older one's entries.

    Conclint's own files are told apart by size and time; the files that are checked are told apart by content only.
    """
    seen = hashlib.sha256(f"{conclint.__version__}\0{sys.version}\0{SCHEMA}".encode())
    for path, stat in sorted(_sources(Path(conclint.__file__).parent), key=lambda item: item[0]):
        seen.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return seen.hexdigest()


def key(*parts: str | bytes) -> bytes:
    """The key of what was computed from `parts` by the running code."""
    seen = hashlib.sha256(version().encode())
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        # With its length, so that no two sequences of parts read the same.
        seen.update(b"%d:" % len(data))
        seen.update(data)
    return seen.digest()


def _sources(package: Path) -> Iterator[tuple[str, os.stat_result]]:
    """conclint's own files, and the first one of libcst's, which changes with each installation of it."""
    for folder, folders, files in os.walk(package):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            path = os.path.join(folder, name)
            with suppress(OSError):
                yield path, os.stat(path)
    for root in sys.path:
        path = os.path.join(root, "libcst", "__init__.py")
        with suppress(OSError):
            yield path, os.stat(path)
            return


def _passing(error: sqlite3.OperationalError) -> bool:
    message = str(error).lower()
    return any(word in message for word in PASSING)


def _open(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)
    try:
        database.execute("PRAGMA synchronous=OFF")
        database.execute(
            "CREATE TABLE IF NOT EXISTS entries "
            "(key BLOB PRIMARY KEY, used INTEGER NOT NULL, sum INTEGER NOT NULL, value BLOB NOT NULL)"
        )
    except BaseException:
        database.close()
        raise
    return database


def _read(database: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, bytes]:
    today = int(time.time()) // DAY
    found: dict[bytes, bytes] = {}
    dusty: list[tuple[int, bytes]] = []
    for begin in range(0, len(keys), BATCH):
        some = keys[begin : begin + BATCH]
        marks = ",".join("?" * len(some))
        rows = database.execute(f"SELECT key, used, sum, value FROM entries WHERE key IN ({marks})", some)
        for name, used, checksum, value in rows:
            if isinstance(value, bytes) and zlib.crc32(value) == checksum:
                found[name] = value
                if used != today:
                    dusty.append((today, name))
    if dusty:
        # Who may only read still may read.
        with suppress(sqlite3.OperationalError):
            _transact(database, "UPDATE entries SET used = ? WHERE key = ?", dusty)
    return found


def _write(database: sqlite3.Connection, entries: Mapping[bytes, bytes], largest: int) -> None:
    today = int(time.time()) // DAY
    rows = [(name, today, zlib.crc32(value), value) for name, value in entries.items() if len(value) < largest // 8]
    _transact(database, "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", rows)
    _prune(database, largest)


def _transact(database: sqlite3.Connection, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        database.executemany(statement, rows)
        database.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise


def _prune(database: sqlite3.Connection, largest: int) -> None:
    """Free a quarter of a full file; its free pages are used again, so it need not shrink."""
    sizes = [database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")]
    used = sizes[0] * (sizes[1] - sizes[2])
    if used <= largest:
        return
    surplus = used - largest * 3 // 4
    dropped: list[tuple[object, ...]] = []
    for name, size in database.execute("SELECT rowid, length(value) FROM entries ORDER BY used, rowid"):
        if surplus <= 0:
            break
        dropped.append((name,))
        surplus -= size
    _transact(database, "DELETE FROM entries WHERE rowid = ?", dropped)
