"""What fixes that hold a lock leave behind: the right lock, around all that must be one step, or nothing at all."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.programs import mended

PATH = "app.py"


def after(code: str, text: str) -> str:
    return mended({PATH: dedent(text)}, code)[PATH]


def in_threads(body: str, *, top: str = "import threading\n", bases: str = "") -> str:
    """A class, its methods, and threads that call `work` of one object of it."""
    methods = "\n".join("    " + line if line else "" for line in dedent(body).strip().splitlines())
    return (
        f"{top}\n\nclass Shared{bases}:\n{methods}\n\n\n"
        "def main():\n    shared = Shared()\n"
        "    for _ in range(9):\n        threading.Thread(target=shared.work).start()\n"
    )


def test_what_is_answered_is_read_under_the_same_lock():
    text = in_threads("""
        def __init__(self):
            self._last = 0

        def work(self):
            self._last += 1
            return self._last
        """)
    assert "with self._lock:\n            self._last += 1\n            return self._last\n" in after("CON303", text)


def test_an_index_that_was_used_before_it_moves_on():
    text = """
        import threading

        last = [0]
        seen = {}

        def work(item):
            seen[last[0]] = item
            last[0] += 1

        def main():
            for item in range(9):
                threading.Thread(target=work, args=(item,)).start()
        """
    assert "    with last_lock:\n        seen[last[0]] = item\n        last[0] += 1\n" in after("CON301", text)


def test_neighbours_share_one_lock_and_one_block():
    text = in_threads("""
        def __init__(self):
            self.hits = 0
            self.size = 0

        def work(self):
            self.hits += 1
            # and how large
            self.size += 2
        """)
    wanted = "with self._lock:\n            self.hits += 1\n            # and how large\n            self.size += 2\n"
    assert wanted in after("CON303", text)


def test_one_lock_for_all_that_a_derived_object_counts():
    body = """
        def __init__(self):
            super().__init__()
            self.hits = 0
            self.size = 0

        def work(self):
            self.hits += 1
            self.report()
            self.size += 2
        """
    found = after("CON303", in_threads(body, top="import threading\nfrom base import Base\n", bases="(Base)"))
    assert found.count("threading.Lock()") == 1
    assert found.count("with self._state_lock:") == 2


def test_a_lock_for_something_else_is_left_alone():
    text = in_threads("""
        def __init__(self, sock):
            self.write_lock = threading.Lock()
            self.sock = sock
            self.received = 0

        def work(self):
            self.received += 1

        def send(self, data):
            with self.write_lock:
                self.sock.sendall(data)
        """)
    assert "with self._lock:\n            self.received += 1\n" in after("CON303", text)


def test_no_lock_that_the_caller_holds_already():
    text = in_threads("""
        def __init__(self):
            self._mutex = threading.Lock()
            self.count = 0

        def work(self):
            self._step()

        def _step(self):
            self.count += 1

        def both(self):
            with self._mutex:
                self._step()
        """)
    found = after("CON303", text)
    assert "def _step(self):\n        with self._lock:\n            self.count += 1\n" in found


def test_no_lock_that_the_caller_of_a_closure_holds_already():
    text = in_threads("""
        def __init__(self):
            self._mutex = threading.Lock()
            self.count = 0
            self.step = self._stepper()

        def work(self):
            with self._mutex:
                self.step()

        def _stepper(self):
            def step():
                self.count += 1
            return step
        """)
    assert "with self._mutex:\n                self.count" not in after("CON303", text)


def test_half_a_step_is_not_mended():
    for line in (
        "if self.free > 0:\n        self.free -= 1",
        "self.free -= 1\n    if not self.free:\n        close()",
        "name = str(self.free)\n    if taken(name):\n        self.free -= 1",
        "if close():\n        self.free -= 1\n    if not self.free:\n        close()",
    ):
        body = f"def __init__(self):\n    self.free = 9\n\ndef work(self):\n    {line}\n"
        text = in_threads(body, top="import threading\nfrom elsewhere import close, taken\n")
        assert after("CON303", text) == text


def test_objects_that_say_how_they_are_copied_get_no_lock():
    text = in_threads("""
        def __init__(self):
            self.count = 0

        def __getstate__(self):
            return dict(self.__dict__)

        def work(self):
            self.count += 1
        """)
    assert after("CON303", text) == text


METER = """
    import threading


    class Meter:
        def __init__(self):
            self.count = 0
            self.sink = None

        def step(self):
            self.count += 1

        def send(self, data):
            if self.sink is None:
                self.sink = open("sink")
            self.sink.write(data)


    meter = Meter()


    def main():
        for _ in range(9):
            threading.Thread(target=meter.step).start()
            threading.Thread(target=meter.send, args=("x",)).start()
    """

COPIERS = {
    "copied": "import copy\nfrom meter import meter\n\ndef snapshot():\n    return copy.deepcopy(meter)\n",
    "pickled": "from pickle import dumps as pack\nimport meter\n\ndef save():\n    return pack(meter.meter)\n",
    "items": (
        "import copy\nfrom meter import Meter\n\ndef snapshot():\n    meters = []\n    meters.append(Meter())\n"
        "    return copy.deepcopy(meters)\n"
    ),
    "held by what is pickled": (
        "import pickle\nfrom meter import Meter\n\nclass Board:\n    def __init__(self):\n        self.meters = {}\n\n"
        "    def add(self, name):\n        self.meters[name] = Meter()\n\n    def save(self, file):\n"
        "        pickle.dump(self, file)\n"
    ),
    "derived from": (
        "import copy\nfrom meter import Meter\n\nclass Gauge(Meter):\n    def twin(self):\n"
        "        return copy.deepcopy(self)\n"
    ),
    "argument of a process": (
        "from multiprocessing import Process\nfrom meter import meter\n\ndef report(one):\n    print(one.count)\n\n"
        "def begin():\n    Process(target=report, args=(meter,)).start()\n"
    ),
    "its method in a pool": (
        "from concurrent.futures import ProcessPoolExecutor\nfrom meter import meter\n\ndef begin():\n"
        "    with ProcessPoolExecutor() as pool:\n        pool.submit(meter.step)\n"
    ),
    "items of a map": (
        "from multiprocessing import Pool\nfrom meter import Meter\n\ndef report(one):\n    print(one.count)\n\n"
        "def begin():\n    meters = [Meter(), Meter()]\n    with Pool() as pool:\n        pool.map(report, meters)\n"
    ),
    "through a queue": (
        "import multiprocessing\nfrom meter import meter\n\nqueue = multiprocessing.Queue()\n\ndef tell():\n"
        "    queue.put(meter)\n"
    ),
}


def with_meter(other: str, code: str) -> str:
    return mended({"meter.py": dedent(METER), "other.py": other}, code)["meter.py"]


@pytest.mark.parametrize("how", COPIERS)
def test_objects_that_another_file_takes_apart_get_no_lock(how):
    assert with_meter(COPIERS[how], "CON303") == dedent(METER)
    assert with_meter(COPIERS[how], "CON308") == dedent(METER)


@pytest.mark.parametrize(
    "other",
    [
        "import copy\nfrom meter import meter\n\ndef counts():\n    return copy.deepcopy([meter.count])\n",
        "from queue import Queue\nfrom meter import meter\n\nqueue = Queue()\n\ndef tell():\n    queue.put(meter)\n",
        "import copy\nfrom meter import meter\n\ndef same():\n    return copy.copy(meter)\n",
    ],
)
def test_objects_that_others_only_use_get_a_lock(other):
    assert with_meter(other, "CON303").count("threading.Lock()") == 1
    assert "_lock:\n                if self.sink is None:" in with_meter(other, "CON308")


def test_the_second_look_comes_where_it_is_made():
    text = """
        import threading

        _loop = None

        def connect():
            global _loop
            if _loop is not None:
                return
            _loop = open("socket")

        def main():
            for _ in range(9):
                threading.Thread(target=connect).start()
        """
    assert after("CON308", text) == dedent(text)


def test_a_constant_has_a_constant_lock():
    text = """
        import threading

        TOTAL = [0]

        def work():
            TOTAL[0] += 1

        def main():
            for _ in range(9):
                threading.Thread(target=work).start()
        """
    assert "TOTAL_LOCK = threading.Lock()" in after("CON301", text)


def test_all_places_that_make_it_look_again():
    text = """
        import threading

        _link = None

        def send(data):
            global _link
            if _link is None:
                _link = open("socket")
            _link.write(data)

        def receive():
            global _link
            if _link is None:
                _link = open("socket")
            return _link.read()

        def main():
            threading.Thread(target=send, args=("",)).start()
            threading.Thread(target=receive).start()
        """
    assert after("CON308", text).count("    with _link_lock:\n            if _link is None:\n") == 2


COLLECTED = """
    import threading

    _collector = None

    def traced(function):
        return function

    def first(item):
        global _collector
        if _collector is None:
            _collector = open(item)
        print(_collector)

    @traced
    def second(item):
        global _collector
        if _collector is None:
            _collector = open(item)
        print(_collector)

    def third(item):
        global _collector
        if _collector is None:
            {third}
        print(_collector)

    def main():
        threading.Thread(target=first, args=("a",)).start()
        threading.Thread(target=second, args=("b",)).start()
        threading.Thread(target=third, args=("c",)).start()
    """


def test_all_that_make_the_same_look_again_below_a_decorator_too():
    text = after("CON308", COLLECTED.format(third="_collector = open(item)"))
    assert text.count("with _collector_lock:\n            if _collector is None:\n                _coll") == 3
    assert text.count("with ") == 3


def test_who_looks_again_already_is_left_alone():
    again = "with _collector_lock:\n                if _collector is None:\n                    _collector = open(item)"
    made = "_collector = None\n    _collector_lock = threading.Lock()\n\n"
    before = COLLECTED.replace("_collector = None\n\n", made, 1).format(third=again)
    assert after("CON308", before).count("with ") == 3


def test_what_is_filled_where_others_see_it_is_not_looked_at_without_the_lock():
    text = """
        import threading

        _kinds = None

        def kinds():
            global _kinds
            if _kinds is None:
                _kinds = {}
                for line in open("kinds"):
                    _kinds[line] = len(line)
            return _kinds

        def main():
            for _ in range(9):
                threading.Thread(target=kinds).start()
        """
    expected = "    with _kinds_lock:\n        if _kinds is None:\n            _kinds = {}\n"
    assert expected in after("CON308", text)


def test_one_object_for_all_is_handed_out_complete():
    text = in_threads("""
        _instance = None

        def work(self):
            print(Shared.instance())

        @classmethod
        def instance(cls):
            if cls._instance is None:
                cls._instance = made = cls.__new__(cls)
                made.file = open("log")
            return cls._instance
        """)
    assert "_lock:\n            if cls._instance is None:\n                cls._instance = made" in after(
        "CON308", text
    )
