"""This daemon thread is stopped in the middle of its work when the interpreter exits.

Daemon threads are not waited for: at exit they freeze wherever they are, no `finally` runs and no file is closed. A
half written file, an open transaction, a job taken from a queue and a result that nobody received are lost without
a word.

Tell the thread to stop and `join()` it before the program ends (`atexit.register`, `close()`, `__exit__`), or make
it an ordinary thread, which the interpreter waits for.

Not reported: tests, daemons with nothing to lose (heartbeats, metrics, watchdogs, loops that accept connections or only
read), what is written to be renamed when it is whole, and daemons that somebody joins, stops or hands on, as for
unjoined threads.  Daemons with nothing but a result to lose, and those that have other files write for them, are shown
to those who select CON202.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding, Note
from conclint.program.effects import Effect
from conclint.program.left import left_running
from conclint.program.triggers import calls
from conclint.program.values import split_id
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.scene import FateScene
    from conclint.source.source import Source

THREAD = "threading.Thread"

# What lies further down than so many calls is hardly what the thread is for.
NEAR = 4

TORN = "what it writes is torn"
# What other files write for it mostly goes to temporary files, caches and databases.
FAR = "what others write for it is torn"

LOSSES = (
    (Effect.DURABLE, TORN),
    (Effect.ITEMS, "the items that it took from the queue are lost"),
)

# Who asks for a result seldom wants the program to wait for it at its end.
RESULT = "its result never arrives"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import in_test

    for call in source.all(cst.Call):
        if not source.calls(call, THREAD) or source.calls(call, "threading.Timer") or in_test(source, call):
            continue
        fate = source.fate(call)
        if fate is None or not fate.daemon or not left_running(fate):
            continue
        for runs, loss, notes in _losses(source, call, fate):
            what = f"this daemon thread{runs} is cut off when the program exits and {loss}"
            advice = "stop and join it before that, or drop `daemon`"
            yield Finding(source.place(call), f"{what}; {advice}", notes, when_asked=loss in (RESULT, FAR))
            break


def _losses(source: Source, call: cst.Call, fate: FateScene) -> Iterator[tuple[str, str, tuple[Note, ...]]]:
    """What its targets have to lose, with their names where a helper is given them, and the calls that lead there."""
    knows, given = source.knowledge, source.argument(call, "target", 1)
    if given is not None and any(knows.matches(knows.durable, name) for name in source.names(given.value)):
        yield "", TORN, ()
    plain = (
        given is None or not isinstance(given.value, (cst.Name, cst.Attribute)) or source.named(given.value).functions
    )
    for identity in (*fate.targets, *fate.given):
        target = source.target(identity)
        if target is None:
            continue
        runs = "" if plain else f", which runs `{split_id(identity)[1].rpartition('.')[2]}`,"
        for effect, loss in LOSSES:
            notes = target.trace(effect)
            if target.effects & effect and len(notes) <= NEAR and not _by_test_double(notes):
                far = any(note.place.path != split_id(identity)[0] for note in notes)
                yield runs, FAR if loss == TORN and far else loss, notes
        if target.results:
            yield runs, RESULT, ()


def _by_test_double(notes: tuple[Note, ...]) -> bool:
    """Whether the way leads through code that stands in for the real one in tests."""
    from conclint.source.testcode import TEST_FILE

    return any(TEST_FILE.search(note.place.path) for note in notes)


RULE = Rule(
    code="CON202",
    name="torn-daemon",
    triggers=calls(THREAD),
    check=check,
    examples=(
        Bad("""
            import json
            import threading

            def save(path, value):
                with open(path, "w") as out:
                    json.dump(value, out)

            def save_later(path, value):
                threading.Thread(target=save, args=(path, value), daemon=True).start()  # expect: CON202
            """),
        Bad("""
            import sqlite3
            import time
            from threading import Thread

            class Journal(Thread):
                def __init__(self, rows):
                    super().__init__(daemon=True)
                    self.rows = rows

                def run(self):
                    while True:
                        time.sleep(1)
                        with sqlite3.connect("journal.db") as connection:
                            connection.executemany("insert into rows values (?)", self.rows)

            def begin(rows):
                journal = Journal(rows)  # expect: CON202
                journal.start()
            """),
        Good("""
            import json
            import threading

            def save(path, value):
                with open(path, "w") as out:
                    json.dump(value, out)

            def save_beside(path, value, other):
                thread = threading.Thread(target=save, args=(path, value), daemon=True)
                thread.start()
                save("other.json", other)
                thread.join()
            """),
        Good("""
            import threading
            import time
            from urllib.request import urlopen

            def beat(url):
                while True:
                    urlopen(url).close()
                    time.sleep(30)

            def begin(url):
                threading.Thread(target=beat, args=(url,), daemon=True).start()
            """),
        Good("""
            import atexit
            import json
            import threading

            def save(path, value):
                with open(path, "w") as out:
                    json.dump(value, out)

            def save_later(path, value):
                thread = threading.Thread(target=save, args=(path, value), daemon=True)
                thread.start()
                atexit.register(thread.join)
            """),
    ),
)
