"""All threads share this default: it is made once, when the function is defined.

`def worker(x, found=[])` makes one list for all calls.  What one worker appends, the others see, and what a call left
behind is still there in the next: results of different items mix, and nobody meant to share anything, so nobody locks.

Take None as the default and make the container in the function: `found = [] if found is None else found`.

See https://docs.python.org/3/tutorial/controlflow.html#default-argument-values.

Not reported: defaults that are only read, parameters that the start or the call on the way always fills, and workers of
which only one runs at a time.  A single one that nobody waits for is shown to those who select CON317.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.index.facts import CallFact, FunctionFact, Touch
from conclint.knowledge.kinds import Context
from conclint.model import Finding, Place, Span
from conclint.program.contexts import call_place
from conclint.program.contexts import evidence as trace
from conclint.program.processwide import several
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.contexts import Run
    from conclint.program.evidence import Evidence

COLLECTIONS = ("deque", "defaultdict", "OrderedDict", "Counter")
BUILT_IN = frozenset({"$list", "$dict", "$set", "list()", "dict()", "set()"})
MUTABLE = BUILT_IN | {f"{prefix}{name}()" for prefix in ("", "collections.") for name in COLLECTIONS}
CHANGES = Touch.ITEM | Touch.DELETED | Touch.AUGMENTED
CHANGING = frozenset(
    ("append", "appendleft", "extend", "insert", "add", "update", "setdefault", "pop", "remove", "clear", "discard")
)


def conclude(evidence: Evidence) -> Iterator[Finding]:
    contexts = evidence.program.contexts
    for identity in sorted(contexts.functions()):
        file, function = evidence.program.calls.function(identity)
        if not any(param.default in MUTABLE for param in function.params):
            continue
        runs = [run for run in contexts.runs(identity) if run.context is Context.THREAD]
        crowd = len({run.root.number for run in runs}) > 1
        runs = [run for run in runs if crowd or several(run.root) or _unheld(run)]
        for name, position in _defaults(function):
            changed = _changed(file.path, function, name)
            run = next((one for one in runs if not _given(one, name, position)), None)
            if changed is not None and run is not None:
                yield Finding(
                    changed,
                    f"all threads change the same `{name}`, since a default is made once for all calls; "
                    "let the default be None, and make it in the function",
                    notes=trace(run),
                    when_asked=not crowd and not several(run.root),
                )


def _unheld(run: Run) -> bool:
    """Whether nobody can wait for the thread, so that the next one may come beside it: `Thread(…).start()`."""
    return "$attr.start" in run.root.site.call.goes


def _defaults(function: FunctionFact) -> Iterator[tuple[str, int]]:
    """Parameters with a mutable default that the function does not bind anew, and their positions without `self`."""
    added = {path for path, bits, _ in function.touches if bits & Touch.AUGMENTED}  # `found += [x]` binds it to itself
    bound = {target for target, path in function.binds if not path.startswith(":") and (path or target not in added)}
    for place, param in enumerate(function.params):
        if param.default in MUTABLE and param.name not in bound:
            yield param.name, place - bool(function.owner)


def _changed(path: str, function: FunctionFact, name: str) -> Place | None:
    """Where the function changes it: by a method, or by setting an item (of which the index knows only the line)."""
    call = next((one for one in function.calls if _changes(one, name)), None)
    if call is not None:
        return call_place(path, call)
    line = next((line for touched, bits, line in function.touches if touched == name and bits & CHANGES), None)
    return Place(path, Span(line, 1, line, 1)) if line is not None else None


def _changes(call: CallFact, name: str) -> bool:
    owner, _, method = call.func.rpartition(".")
    return owner.partition("[")[0] == name and method in CHANGING


def _given(run: Run, name: str, position: int) -> bool:
    """Whether the worker is started, or the function called, with something of its own for the parameter."""
    call = run.site.call if run.site is not None else run.root.site.call
    words = {word for word, _ in call.keywords}
    if words & {name, f"kwargs.{name}", f"args.{position}", "**"} or "*" in call.args:
        return True
    if run.site is not None:
        return len(call.args) > position
    if "args" in words and "args.0" not in words:
        return True  # a tuple that is put together elsewhere
    last = call.func.rpartition(".")[2]
    return last in ("submit", "run_in_executor", "to_thread", "map") and len(call.args) > position + 1


RULE = Rule(
    code="CON317",
    name="mutable-default-in-worker",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import threading

            def worker(number, found=[]):
                found.append(number)  # expect: CON317
                print(found)

            def run():
                threads = [threading.Thread(target=worker, args=(number,)) for number in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            """),
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            class Crawler:
                def fetch(self, url, seen=set(), *, depth=0):
                    seen.add(url)  # expect: CON317
                    return len(seen), depth

                def run(self, urls):
                    with ThreadPoolExecutor() as pool:
                        return list(pool.map(self.fetch, urls))
            """),
        Bad("""
            import threading

            def note(key, table=dict()):
                table.update({key: len(key)})  # expect: CON317
                return table

            def work(keys):
                for key in keys:
                    print(note(key))

            def run(groups):
                for keys in groups:
                    threading.Thread(target=work, args=(keys,)).start()
            """),
        Good("""
            import threading

            def worker(number, found=None):
                found = [] if found is None else found
                found.append(number)

            def run():
                for number in range(4):
                    threading.Thread(target=worker, args=(number,)).start()
            """),
        Good("""
            import threading

            def worker(number, found=[]):
                found.append(number)

            def run():
                for number in range(4):
                    threading.Thread(target=worker, args=(number, [])).start()
                    threading.Thread(target=worker, args=(number,), kwargs={"found": []}).start()
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            def worker(number, weights=[1, 2, 3]):
                return sum(weights) * number

            def run(numbers):
                with ThreadPoolExecutor() as pool:
                    return list(pool.map(worker, numbers))
            """),
        Good("""
            import threading

            def worker(number, found=[]):
                found.append(number)

            def run():
                thread = threading.Thread(target=worker, args=(1,))
                thread.start()
                thread.join()
            """),
    ),
)
