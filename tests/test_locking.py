"""What is known of locks over the program, and that the work for it grows no faster than the program."""

from __future__ import annotations

from textwrap import dedent

from conclint.index import index
from conclint.program import Options, link
from conclint.program.deep import DEEPEST


def program(text: str):
    return link([("app.py", index("app.py", dedent(text).encode()))], Options())


def entangled(count: int) -> str:
    """Functions that all call ten others, round in a circle, each with a lock of its own."""
    lines = ["import threading"]
    lines += [f"lock{one} = threading.Lock()" for one in range(count)]
    for one in range(count):
        calls = "; ".join(f"f{(one + step) % count}()" for step in range(1, 11))
        lines.append(f"def f{one}():\n    with lock{one}:\n        {calls}")
    return "\n".join(lines)


def large_class(methods: int, locks: int) -> str:
    lines = ["import threading", "class Large:", "    def __init__(self):"]
    lines += [f"        self.lock{one} = threading.Lock()" for one in range(locks)]
    for one in range(methods):
        lines.append(f"    def m{one}(self):\n        with self.lock{one % locks}:")
        lines.append(f"            self.m{(one + 1) % methods}(); self.m{(one * 7 + 1) % methods}()")
    return "\n".join(lines)


def asked(text: str) -> int:
    """How many answers are worked out for the whole program."""
    locking = program(text).locking
    locking.worth_a_look()
    for one in locking.takes.by_function:
        locking.any.of(one)
        locking.own.of(one)
    return locking.any.asked + locking.own.asked


def test_each_function_is_asked_once_for_each_depth():
    assert asked(entangled(100)) <= 2 * (DEEPEST + 1) * 100


def test_ten_times_the_program_is_ten_times_the_work():
    assert asked(entangled(1000)) <= 10 * asked(entangled(100))


def test_a_large_class_with_many_locks():
    assert asked(large_class(500, 50)) <= 2 * (DEEPEST + 1) * 501


def test_lock_is_found_behind_aliases_conditions_and_calls():
    locking = program(
        """
        import threading

        class Store:
            def __init__(self):
                self._lock = threading.Lock()
                self._full = threading.Condition(self._lock)

            def put(self):
                lock = self._lock
                with lock:
                    pass

            def wait(self):
                with self._full:
                    self.put()

            def look(self):
                if self._lock.acquire(timeout=1):
                    self._lock.release()
        """
    ).locking
    (put,), (wait,), (look,) = (locking.takes.of(f"app.py:Store.{name}") for name in ("put", "wait", "look"))
    assert put.lock == wait.lock == look.lock == "attribute|app.py:Store|_lock"
    assert wait.own and wait.waits and not look.waits
    kind = locking.takes.kind(put.lock)
    assert kind is not None and not kind.reentrant
    assert locking.own.of("app.py:Store.wait") == locking.bit(put.lock)


def test_condition_makes_itself_a_lock_that_may_be_taken_again():
    locking = program(
        """
        import threading

        own = threading.Condition()
        plain = threading.Condition(threading.Lock())

        def use():
            with own, plain:
                pass
        """
    ).locking
    kinds = [locking.takes.kind(one.lock) for one in locking.takes.of("app.py:use")]
    assert [kind is not None and kind.reentrant for kind in kinds] == [True, False]
