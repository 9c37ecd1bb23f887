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
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Final, NamedTuple, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

LITTLE: Final = 400_000  # bytes of source that are done sooner here than a pool has started
GRACE: Final = 2.0  # seconds of silence after which we ask whether everybody is alive
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
        self._strangers: set[BaseProcess] = set()
        self._staff: set[BaseProcess] = set()
        self._threads: set[threading.Thread] = set()

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
            self._strangers, self._staff = set(multiprocessing.active_children()), set()
            self._threads = set(threading.enumerate())
            try:
                context = multiprocessing.get_context("fork" if fork else "spawn")
                self._pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_enlist)
                _ = self._pool.submit(os.getpid)  # starts the workers
            except (OSError, ImportError, NotImplementedError):  # a system without semaphores or free processes
                self._jobs, self._pool = 1, None
            self._workers()
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
        while futures:
            done = self._done(futures)
            for future in done or tuple(futures):
                chunk = futures.pop(future)  # and with it the answers, once they are used
                yield chunk, future.result() if done and not future.exception() else None

    def _done(self, futures: Iterable[Future[list[Answer]]]) -> set[Future[list[Answer]]]:
        """Those of the futures that are done next; none if they never will be.

        When a worker dies in the middle of an answer, its pool waits for the rest without end.
        """
        while True:
            done, _ = wait(futures, timeout=GRACE, return_when=FIRST_COMPLETED)
            if done or not all(process.is_alive() for process in self._workers()):
                return done

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
            error = future.exception() if future and self._done([future]) else BrokenProcessPool()
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
        if not at_once:
            pool.shutdown()
            return
        for process in self._workers():
            process.terminate()
        _hang_up(pool)
        pool.shutdown(wait=False, cancel_futures=True)
        # The pool's own threads end now, and had better be gone when the next one is forked.
        end = time.monotonic() + GRACE
        for thread in set(threading.enumerate()) - self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _workers(self) -> set[BaseProcess]:
        """Every process that this crew has had since it was last hired, the dead ones too."""
        self._staff.update(process for process in multiprocessing.active_children() if process not in self._strangers)
        return self._staff


def _hang_up(pool: ProcessPoolExecutor) -> None:
    """A pool whose worker died in the middle of an answer waits for the rest, since it could write there itself.

    It offers no other way to be told that nobody will.
    """
    writer = getattr(getattr(pool, "_result_queue", None), "_writer", None)
    if isinstance(writer, Connection):
        writer.close()


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
        wait_for([parent.sentinel])
        os._exit(1)
