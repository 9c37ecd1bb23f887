"""`target=f()` calls the function here and now, and the thread gets what it returned.

The work is done by the caller, which waits for it, before the thread even exists.  The thread is then given the
result as its target: with `None` it starts, does nothing and ends; with anything else that cannot be called it dies
with a `TypeError` that nobody sees.  The program seems to work, only not at the same time as anything else.

Pass the function itself, and its arguments beside it: `target=f, args=(x,)`.

Not reported: calls that give back something to call: `functools.partial(f, x)`, a function that returns a function or
a bound method, an object with `__call__`, and calls of functions that nobody can see.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.lives import TIMER
from conclint.model import Edit, Finding, Fix
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.makers import MADE, Maker, gives_nothing_to_call, initialisers, makers

if TYPE_CHECKING:
    from conclint.source.source import Source


def check(source: Source) -> Iterator[Finding]:
    for made in (*makers(source), *initialisers(source)):
        target = made.given("target")
        if target is None or target.star or not isinstance(target.value, cst.Call):
            continue
        call = target.value
        if gives_nothing_to_call(source, call):
            name = source.code(call.func)
            what = "process" if made.kind.endswith("Process") else "timer" if made.kind == TIMER else "thread"
            yield Finding(
                source.place(call),
                f"`{name}` is called here, not in the {what}, which gets its result to call; pass `{name}` itself",
                fix=_passed(source, made, target, call),
            )


def _passed(source: Source, made: Maker, target: cst.Arg, call: cst.Call) -> Fix | None:
    """The function itself, and its arguments where the library passes them on."""
    if any(arg.star for arg in call.args) or (call.args and (made.given("args") or made.given("kwargs"))):
        return None  # how the arguments go together is for the author to say
    name = source.code(call.func)
    plain = [source.code(arg.value) for arg in call.args if arg.keyword is None]
    words = [f'"{arg.keyword.value}": {source.code(arg.value)}' for arg in call.args if arg.keyword is not None]
    if "\n" in "".join(plain + words) or (plain and target.keyword is None and made.call.args[-1] is not target):
        return None  # keywords may not stand before what follows by position
    more = f", args=({', '.join(plain)}{',' if len(plain) == 1 else ''})" if plain else ""
    more += f", kwargs={{{', '.join(words)}}}" if words else ""
    return Fix(f"pass `{name}` itself", (Edit(source.span(call), name + more),))


RULE = Rule(
    code="CON106",
    name="called-target",
    triggers=Triggers(calls=frozenset(MADE), bases=frozenset(MADE)),
    check=check,
    examples=(
        Bad(
            """
            import threading

            def poll():
                print("polling")

            def begin():
                thread = threading.Thread(target=poll())  # expect: CON106
                thread.start()
                thread.join()
            """,
            fixed="""
            import threading

            def poll():
                print("polling")

            def begin():
                thread = threading.Thread(target=poll)  # expect: CON106
                thread.start()
                thread.join()
            """,
        ),
        Bad(
            """
            from multiprocessing import Process

            class Archive:
                def pack(self, folder, *, level):
                    print(folder, level)

                def begin(self, folder):
                    process = Process(target=self.pack(folder, level=9), name="p")  # expect: CON106
                    process.start()
                    process.join()
            """,
            fixed="""
            from multiprocessing import Process

            class Archive:
                def pack(self, folder, *, level):
                    print(folder, level)

                def begin(self, folder):
                    process = Process(target=self.pack, args=(folder,), kwargs={"level": 9}, name="p")  # expect: CON106
                    process.start()
                    process.join()
            """,
        ),
        Good("""
            import functools
            import threading

            def poll(interval):
                print(interval)

            def begin():
                thread = threading.Thread(target=functools.partial(poll, 5))
                thread.start()
                thread.join()
            """),
        Good("""
            import threading

            def make_poller(interval):
                def poll():
                    print(interval)
                return poll

            def begin():
                thread = threading.Thread(target=make_poller(5))
                thread.start()
                thread.join()
            """),
        Good("""
            import threading

            class Poller:
                def __call__(self):
                    print("polling")

            def begin():
                thread = threading.Thread(target=Poller())
                thread.start()
                thread.join()
            """),
        Good("""
            import threading

            from elsewhere import poller

            def begin():
                thread = threading.Thread(target=poller(5))
                thread.start()
                thread.join()
            """),
    ),
)
