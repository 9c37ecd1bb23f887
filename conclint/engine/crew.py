"""Runs a pure function over many items: here, or in processes when there is enough to do.

On Linux workers are forked: they start in milliseconds and share what is imported already.  That is sound only while
this process has one thread, so with more of them, and on other systems, workers are spawned.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Final, NamedTuple, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

LITTLE: Final = 400_000  # bytes of source that are done sooner here than a pool has started
ROUNDS: Final = 12  # chunks for each worker: enough that the last ones end together


class Lost(NamedTuple):
    """Stands for the answer to an item that cost its worker's life, twice."""

    error: str


class Crew:
    """Workers, hired when first needed, for the time of a `with` block; an exception sends them off at once."""

    def __init__(self, jobs: int) -> None:
        # Daemons, such as the workers of flake8, may not have workers of their own.
        self._jobs = 1 if multiprocessing.current_process().daemon else jobs
        self._pool: ProcessPoolExecutor | None = None
        self._strangers: list[BaseProcess] = []

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._dismiss(at_once=kind is not None)

    @property
    def hired(self) -> bool:
        """Whether there are workers at the moment."""
        return self._pool is not None

    def map(
        self, work: Callable[[Item], Answer], items: Sequence[Item], size: Callable[[Item], int]
    ) -> Iterator[tuple[Item, Answer | Lost]]:
        """Each item with its answer, in any order."""
        if not self._worth_it(sum(map(size, items)), len(items)):
            for item in items:
                yield item, work(item)
            return
        lost: list[Item] = []
        for chunk, answers in self._in_chunks(work, _chunks(items, size, self._jobs * ROUNDS)):
            if answers is None:
                lost += chunk
            else:
                yield from zip(chunk, answers, strict=True)
        if lost:
            yield from self._one_by_one(work, lost)

    def prepare(self, work: Callable[[], None]) -> None:
        """Have idle workers do something that later work will need."""
        if self._pool is not None:
            with suppress(BrokenProcessPool):  # the next map finds out
                for _ in range(self._jobs):
                    self._pool.submit(work)

    def _worth_it(self, size: int, count: int) -> bool:
        if self._jobs <= 1 or count <= 1 or (size < LITTLE and not self.hired):
            return False
        return self._hire(self._jobs) is not None

    def _hire(self, jobs: int) -> ProcessPoolExecutor | None:
        if self._pool is None:
            fork = sys.platform == "linux" and threading.active_count() == 1
            self._strangers = multiprocessing.active_children()
            try:
                context = multiprocessing.get_context("fork" if fork else "spawn")
                pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_enlist)
                pool.submit(os.getpid)  # starts the workers
            except (OSError, ImportError, NotImplementedError):  # a system without semaphores or free processes
                self._jobs = 1
                return None
            self._pool = pool
        return self._pool

    def _in_chunks(
        self, work: Callable[[Item], Answer], chunks: Iterable[list[Item]]
    ) -> Iterator[tuple[list[Item], list[Answer] | None]]:
        """Each chunk with its answers; None for those that a dying worker took along."""
        futures: dict[Future[list[Answer]], list[Item]] = {}
        for chunk in chunks:
            future = self._submit(work, chunk)
            if future is None:
                yield chunk, None
            else:
                futures[future] = chunk
        for future in as_completed(list(futures)):
            chunk = futures.pop(future)  # and with it the answers, once they are used
            yield chunk, None if future.exception() else future.result()

    def _submit(self, work: Callable[[Item], Answer], chunk: list[Item]) -> Future[list[Answer]] | None:
        try:
            return self._pool.submit(_each, work, chunk) if self._pool else None
        except BrokenProcessPool:
            return None

    def _one_by_one(
        self, work: Callable[[Item], Answer], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Answer | Lost]]:
        """Alone with a worker of its own, an item that kills it is found out, and the others get their answers."""
        self._dismiss(at_once=True)
        for item in items:
            self._hire(1)
            future = self._submit(work, [item])
            error = future.exception() if future else BrokenProcessPool()
            if future is not None and error is None:
                yield item, future.result()[0]
                continue
            died = isinstance(error, BrokenProcessPool)
            yield item, Lost("its worker process died" if died else f"{type(error).__name__}: {error}")
            self._dismiss(at_once=True)
        self._dismiss(at_once=True)

    def _dismiss(self, *, at_once: bool) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        if at_once:
            for process in multiprocessing.active_children():
                if process not in self._strangers:
                    process.terminate()
        # Waits, so that the pool's own thread is gone when the next one is forked.
        pool.shutdown(wait=True, cancel_futures=at_once)


def _each(work: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer]:
    return [work(item) for item in items]


def _chunks(items: Iterable[Item], size: Callable[[Item], int], count: int) -> list[list[Item]]:
    """About `count` chunks, the heaviest items first, so that no worker ends long after another."""
    heavy_first = sorted(items, key=size, reverse=True)
    share = sum(map(size, heavy_first)) // count + 1
    chunks: list[list[Item]] = []
    room = 0
    for item in heavy_first:
        if room <= 0:
            chunks.append([])
            room = share
        chunks[-1].append(item)
        room -= size(item) + 1
    return chunks


def _enlist() -> None:
    """A worker leaves Ctrl-C to its parent, and does not outlive it, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
