"""The tables name things that exist, in their documented spelling, and do not contradict each other."""

from __future__ import annotations

import importlib
import inspect
import multiprocessing.queues
import multiprocessing.synchronize
import sys
import threading
import warnings
from dataclasses import fields

import pytest

from conclint.knowledge import BUILTIN, Context, Knowledge, LockKind, Spawner, Target
from conclint.knowledge.containers import ATOMIC_READS, ATOMIC_WRITES
from conclint.knowledge.kinds import LONGEST_ALIAS_CHAIN

NAMED = {
    "aliases": {*BUILTIN.aliases, *BUILTIN.aliases.values()},
    "bases": {*BUILTIN.bases, *(base for bases in BUILTIN.bases.values() for base in bases)},
    "returns": {*BUILTIN.returns, *BUILTIN.returns.values()},
    "attributes": {*(name.rpartition(".")[0] for name in BUILTIN.attributes), *BUILTIN.attributes.values()},
    "mutators": {f"{owner}.{method}" for owner, methods in BUILTIN.mutators.items() for method in methods},
    **{key: {*getattr(BUILTIN, key)} for key in ("spawners", "locks", "thread_safe", "atomic", "snapshots")},
    **{key: {*getattr(BUILTIN, key)} for key in ("process_wide", "thread_unsafe")},
    **{key: {*getattr(BUILTIN, key)} for key in ("io", "blocking", "releases_gil", "holds_gil", "durable")},
}

# Documented as classes, made by functions
FACTORIES: dict[str, object] = {
    "threading.Lock": type(threading.Lock()),
    "threading.RLock": type(threading.RLock()),
    **{
        f"multiprocessing.{name}": getattr(multiprocessing.synchronize, name)
        for name in ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier")
    },
    **{f"multiprocessing.{name}": getattr(multiprocessing.queues, name) for name in ("Queue", "JoinableQueue")},
    "multiprocessing.SimpleQueue": multiprocessing.queues.SimpleQueue,
}

# Methods that only the objects have, not their class
ON_INSTANCES = frozenset(
    {
        "threading.Condition.acquire",
        *(f"multiprocessing.{name}.acquire" for name in ("Lock", "RLock", "Condition", "Semaphore")),
        "select.poll.poll",
        "io.IOBase.write",  # what `open` returns, whichever of the streams it is
    }
)

Span = tuple[tuple[int, int], tuple[int, int]]
END = (9, 0)
ELSEWHERE: Span = (END, END)  # other platforms, other majors

# The versions with a name (from, up to but not including), where not every supported one has it.
VERSIONS: dict[str, Span] = {
    "_thread.lock": ((3, 13), END),
    "asyncio.Runner": ((3, 11), END),
    "asyncio.TaskGroup": ((3, 11), END),
    "asyncio.taskgroups": ((3, 11), END),
    "asyncio.timeouts": ((3, 11), END),
    "compression": ((3, 14), END),
    "concurrent.futures.InterpreterPoolExecutor": ((3, 14), END),
    "concurrent.futures.interpreter": ((3, 14), END),
    "concurrent.interpreters": ((3, 14), END),
    "contextlib.chdir": ((3, 11), END),
    "http.server.HTTPSServer": ((3, 14), END),
    "http.server.ThreadingHTTPSServer": ((3, 14), END),
    "pathlib._local": ((3, 13), (3, 14)),
    "nntplib": ((3, 0), (3, 13)),
    "os.reload_environ": ((3, 14), END),
    "sqlite3.Blob": ((3, 11), END),
    "sqlite3.Connection.blobopen": ((3, 11), END),
    "telnetlib": ((3, 0), (3, 13)),
    "threading.setprofile_all_threads": ((3, 12), END),
    "threading.settrace_all_threads": ((3, 12), END),
    "tomllib": ((3, 11), END),
    "_dummy_thread": ELSEWHERE,
    "asyncio.ProactorEventLoop": ELSEWHERE,
    **{f"ctypes.{name}": ELSEWHERE for name in ("OleDLL", "WinDLL", "oledll", "windll")},
    "select.devpoll": ELSEWHERE,
    "select.kqueue": ELSEWHERE,
    "multiprocessing.context.BaseContext.Process": ELSEWHERE,  # every real context has one
}
# Checked where the tables' platform is: the locks and spawners are the same everywhere.
LINUX = sys.platform == "linux"


def exists(name: str) -> bool:
    """Whether the running interpreter has `name`."""
    parts = name.rstrip(".").split(".")
    for count in range(len(parts), 0, -1):
        head = ".".join(parts[:count])
        try:
            found: object = FACTORIES.get(head) or importlib.import_module(head)
        except ImportError:
            continue
        return _has(found, head, parts[count:])
    return False


def _has(found: object, head: str, rest: list[str]) -> bool:
    for part in rest:
        head = f"{head}.{part}"
        if head not in FACTORIES and not hasattr(found, part):
            return False
        found = FACTORIES.get(head) or getattr(found, part)
    return True


def expected(name: str) -> bool:
    """Whether the running interpreter should have `name`."""
    parts = name.rstrip(".").split(".")
    heads = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    spans = [VERSIONS[head] for head in heads if head in VERSIONS]
    return all(first <= sys.version_info < last for first, last in spans)


def of_the_standard_library(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


@pytest.mark.skipif(not LINUX, reason="names of other platforms differ")
@pytest.mark.parametrize("table", NAMED)
def test_standard_library_names_exist(table: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = [name for name in sorted(NAMED[table] - ON_INSTANCES) if of_the_standard_library(name)]
        wrong = [name for name in names if exists(name) is not expected(name)]
    assert wrong == []


def resolve(name: str) -> object:
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return found
    raise LookupError(name)


CONSTRUCTED_AS_THEIR_BASE = ("socketserver.ThreadingMixIn", "socketserver.ForkingMixIn")


def spawned_arguments() -> list[tuple[str, Spawner]]:
    calls = [(name, one) for name, first in BUILTIN.spawners.items() for one in (first, *first.also)]
    return [
        (name, one)
        for name, one in calls
        if one.target in (Target.ARGUMENT, Target.HANDLER) and of_the_standard_library(name) and exists(name)
    ]


@pytest.mark.parametrize(("name", "spawner"), spawned_arguments())
def test_arguments_of_spawners_stand_where_the_table_says(name: str, spawner: Spawner) -> None:
    found = resolve(name)
    assert callable(found)
    try:
        names = [one for one in inspect.signature(found).parameters if one != "self"]
    except ValueError:
        pytest.skip("written in C, without a signature")
    if spawner.keyword is None or name in CONSTRUCTED_AS_THEIR_BASE:
        return
    assert spawner.keyword in names
    if spawner.position is not None:
        assert names[spawner.position] == spawner.keyword


@pytest.mark.parametrize("name", sorted(NAMED["aliases"]))
def test_canonical_names_stay(name: str) -> None:
    once = BUILTIN.canonical(name)
    assert BUILTIN.canonical(once) == once


def test_tables_use_canonical_names() -> None:
    for table, names in NAMED.items():
        if table != "aliases":
            assert [name for name in sorted(names) if BUILTIN.canonical(name.rstrip(".")) != name.rstrip(".")] == []


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("torch.multiprocessing.context.Process", "multiprocessing.Process"),
        ("multiprocessing.context.SpawnContext.Pool", "multiprocessing.pool.Pool"),
        ("multiprocessing.dummy.Pool.map", "multiprocessing.pool.ThreadPool.map"),
        ("Queue.LifoQueue", "queue.LifoQueue"),
        ("_thread.allocate_lock", "threading.Lock"),
        ("threading.Threading", "threading.Threading"),
        ("", ""),
    ],
)
def test_canonical(name: str, canonical: str) -> None:
    assert BUILTIN.canonical(name) == canonical


def test_aliases_in_a_circle_end() -> None:
    knowledge = Knowledge(aliases={"a": "a.b"})
    assert knowledge.canonical("a") == "a" + LONGEST_ALIAS_CHAIN * ".b"


def test_nothing_both_waits_outside_and_holds_the_gil() -> None:
    for table in (BUILTIN.io, BUILTIN.blocking, BUILTIN.releases_gil):
        assert [name for name in sorted(BUILTIN.holds_gil) if BUILTIN.matches(table, name)] == []
        assert [name for name in sorted(table) if BUILTIN.matches(BUILTIN.holds_gil, name)] == []


def test_atomic_writes_are_mutators() -> None:
    for name in sorted(ATOMIC_WRITES):
        owner, _, method = name.rpartition(".")
        assert method in BUILTIN.mutators[owner]


def test_atomic_reads_change_nothing() -> None:
    for name in sorted(ATOMIC_READS):
        owner, _, method = name.rpartition(".")
        assert method not in BUILTIN.mutators[owner]


def test_ancestors_come_nearest_first_and_once() -> None:
    assert BUILTIN.ancestors("http.server.ThreadingHTTPServer") == (
        "http.server.ThreadingHTTPServer",
        "socketserver.ThreadingMixIn",
        "http.server.HTTPServer",
        "socketserver.TCPServer",
        "socketserver.BaseServer",
    )


STAND_IN = ("typing.IO", "weakref.WeakSet", "concurrent.futures.Future")  # not really below the base they get


def test_bases_are_real() -> None:
    known = {name: bases for name, bases in BUILTIN.bases.items() if of_the_standard_library(name) and exists(name)}
    for name, bases in known.items():
        found = resolve(name)
        if isinstance(found, type) and name not in STAND_IN:
            assert [(name, base) for base in bases if not issubclass(found, FACTORIES.get(base) or resolve(base))] == []


def test_extended_lays_a_projects_entries_over() -> None:
    spawner = Spawner(Context.THREAD, keyword="job")
    more = BUILTIN.extended(
        Knowledge(
            spawners={"acme.start": spawner, "asyncio.run": spawner},
            locks={"acme.Lock": LockKind(Context.THREAD)},
            io=frozenset({"acme."}),
        )
    )
    assert more.spawners["acme.start"] == more.spawners["asyncio.run"] == spawner
    assert more.spawners["threading.Thread"] == BUILTIN.spawners["threading.Thread"]
    assert more.matches(more.io, "acme.net.fetch")
    assert more.matches(more.io, "builtins.open")
    assert "acme.Lock" not in BUILTIN.locks
    for field in fields(Knowledge):
        assert len(getattr(more, field.name)) >= len(getattr(BUILTIN, field.name))


def test_prefixes_match_only_what_is_below() -> None:
    assert BUILTIN.matches(BUILTIN.releases_gil, "numpy.linalg.svd")
    assert not BUILTIN.matches(BUILTIN.releases_gil, "numpy")
    assert not BUILTIN.matches(BUILTIN.releases_gil, "numpyro.sample")
