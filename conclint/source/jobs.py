"""Calls that give work to a pool of processes: which method, what runs, and with which arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.source.paths import argument

if TYPE_CHECKING:
    from conclint.source.source import Source

POOL, THREAD_POOL = "multiprocessing.pool.Pool", "multiprocessing.pool.ThreadPool"
EXECUTOR = "concurrent.futures.ProcessPoolExecutor"

# docs.python.org/3/library/multiprocessing.html#multiprocessing.pool.Pool
ONE = ("apply", "apply_async")
MANY = ("map", "map_async", "imap", "imap_unordered", "starmap", "starmap_async")
METHODS = frozenset((*(f"{POOL}.{name}" for name in (*ONE, *MANY)), f"{EXECUTOR}.submit", f"{EXECUTOR}.map"))

# They send functions by value, which `pickle` cannot: whoever has one of them in hand knows.  (joblib does so too,
# in pools that have a name of their own.)
# loky.readthedocs.io, github.com/cloudpipe/cloudpickle, dill.readthedocs.io, pypi.org/project/multiprocess
OTHER_PICKLERS = re.compile(r"\b(?:loky|pathos|multiprocess|dill|cloudpickle)\b")


class Job(NamedTuple):
    """A call that gives work to a pool: the method's name, the callable, and the arguments of each piece of work."""

    call: cst.Call
    how: str
    function: cst.BaseExpression | None
    arguments: tuple[cst.BaseExpression, ...]
    threads: bool  # whether the pool's workers are, or may be, threads

    @property
    def method(self) -> str:
        return self.how.rpartition(".")[2]


def jobs(source: Source) -> Iterator[Job]:
    """Every call in the parsed regions that gives work to a pool of processes (or to a `ThreadPool`)."""
    for call in source.all(cst.Call):
        names = source.names(call.func) if isinstance(call.func, cst.Attribute) else ()
        how = next((name for name in names if name in METHODS), "")
        if how:
            threads = any(name.startswith((THREAD_POOL, "concurrent.futures.ThreadPool")) for name in names)
            given = argument(call, "fn" if how.endswith(".submit") else "func", 0)
            function = given.value if given is not None and not given.star else None
            yield Job(call, how, function, tuple(_arguments(call, how)), threads)


def _arguments(call: cst.Call, how: str) -> Iterator[cst.BaseExpression]:
    """What the callable is given each time; of `map` and its like nothing is known."""
    method = how.rpartition(".")[2]
    if method == "submit":
        yield from (arg.value for arg in call.args[1:] if not arg.star)
    elif method in ONE:
        for arg in (argument(call, "args", 1), argument(call, "kwds", 2)):
            yield from packed(arg.value) if arg is not None else ()


def packed(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The items of a tuple, list or dict that is written out."""
    if isinstance(value, (cst.Tuple, cst.List)):
        yield from (element.value for element in value.elements if isinstance(element, cst.Element))
    elif isinstance(value, cst.Dict):
        yield from (element.value for element in value.elements if isinstance(element, cst.DictElement))


def plain_pickle(source: Source) -> bool:
    """Whether nothing in the file hints at a pickler that can do more than the standard one."""
    return OTHER_PICKLERS.search(source.text.text) is None
