"""Work is shared out, and what happens to a worker happens to its file only."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import subprocess
import sys
import textwrap
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from conclint.engine import crew
from conclint.engine.crew import Crew, Lost


@pytest.fixture(autouse=True)
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "LITTLE", 0)


def double(number: int) -> int:
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 14:
        raise MemoryError("much too much")
    return number * 2


def pid(_: int) -> int:
    time.sleep(0.01)
    return os.getpid()


def test_every_item_gets_its_answer() -> None:
    with Crew(2) as two:
        for _ in range(2):
            assert dict(two.map(double, range(20, 100), size=lambda n: n)) == {n: n * 2 for n in range(20, 100)}


def test_few_bytes_are_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "LITTLE", 1000)
    with Crew(2) as two:
        assert {answer for _, answer in two.map(pid, range(4), size=lambda n: 1)} == {os.getpid()}
        assert not two.hired
        assert os.getpid() not in {answer for _, answer in two.map(pid, range(4), size=lambda n: 1000)}


def test_one_job_is_done_here() -> None:
    with Crew(1) as one:
        assert {answer for _, answer in one.map(pid, range(4), size=lambda n: 10**6)} == {os.getpid()}


def test_both_workers_are_busy() -> None:
    with Crew(2) as two:
        assert len({answer for _, answer in two.map(pid, range(100), size=lambda n: 1)}) == 2


def test_a_killed_worker_costs_only_the_item_that_kills() -> None:
    with Crew(2) as two:
        answers = dict(two.map(double, range(40), size=lambda n: 1))
        assert answers.pop(13) == Lost("its worker process died")
        assert answers.pop(14) == Lost("MemoryError: much too much")
        assert answers == {n: n * 2 for n in range(40) if n not in (13, 14)}
        assert dict(two.map(double, range(5), size=lambda n: 1)) == {n: n * 2 for n in range(5)}


def send_half(self: Connection, data: bytes) -> None:
    os.write(self.fileno(), data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def half_an_answer(number: int) -> int:
    if number == 13:
        vars(multiprocessing.connection)["Connection"]._send = send_half  # in this worker only
    return number


def test_a_worker_killed_in_the_middle_of_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "GRACE", 0.3)
    with Crew(2) as two:
        answers = dict(two.map(half_an_answer, range(20), size=lambda n: 1))
    assert answers.pop(13) == Lost("its worker process died")
    assert answers == {n: n for n in range(20) if n != 13}


def test_no_processes_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no semaphores here")

    monkeypatch.setattr(crew, "ProcessPoolExecutor", refuse)
    with Crew(2) as two:
        assert dict(two.map(double, range(5), size=lambda n: 1)) == {n: n * 2 for n in range(5)}


def test_chunks_are_balanced_and_heavy_first() -> None:
    chunks = crew._chunks([1] * 50 + [100, 30], size=lambda n: n, count=4)
    assert chunks[0] == [100]
    assert sorted(n for chunk in chunks for n in chunk) == [1] * 50 + [30, 100]
    assert max(len(chunk) for chunk in chunks[1:]) <= 46


def test_workers_end_with_the_block() -> None:
    before = set(multiprocessing.active_children())
    with Crew(2) as two:
        list(two.map(double, range(5), size=lambda n: 1))
    assert set(multiprocessing.active_children()) <= before


def test_an_exception_sends_workers_off_at_once() -> None:
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Crew(2) as two:
        for _ in two.map(time.sleep, [0.0] + [20.0] * 6, size=lambda n: 1):
            raise KeyboardInterrupt
    assert time.monotonic() - begin < 10


PROGRAM = """
    import os, signal, sys, time
    from conclint.engine import crew
    crew.LITTLE = 0

    def slow(number):
        os.write(1, b"%d\\n" % os.getpid())
        time.sleep(60)

    if __name__ == "__main__":
        try:
            with crew.Crew(2) as two:
                list(two.map(slow, range(8), size=lambda n: 1))
        except KeyboardInterrupt:
            sys.exit(130)
"""


def start(tmp_path: Path) -> tuple[subprocess.Popen[str], list[int]]:
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    program = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(crew.__file__).parents[2])},
    )
    assert program.stdout is not None
    return program, [int(program.stdout.readline()) for _ in range(2)]


def gone(worker: int) -> bool:
    try:
        return Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="sends signals to a group of processes")
def test_ctrl_c_is_quiet_and_leaves_nobody_behind(tmp_path: Path) -> None:
    program, workers = start(tmp_path)
    os.killpg(program.pid, signal.SIGINT)
    _, errors = program.communicate(timeout=20)
    assert (program.returncode, errors) == (130, "")
    assert all(map(gone, workers))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    program, workers = start(tmp_path)
    program.kill()
    program.communicate(timeout=20)
    for _ in range(100):
        if all(map(gone, workers)):
            return
        time.sleep(0.1)
    raise AssertionError("workers are left")
