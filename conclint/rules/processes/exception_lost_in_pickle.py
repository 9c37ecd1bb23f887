"""This exception cannot be made again from its arguments, so the parent never receives it.

An exception goes from a worker to the parent as a pickle: its class, and its `args`, with which the class is called
again.  `args` are what `Exception.__init__` was given.  Where that is less than the class's own `__init__` needs, the
call fails in the parent, in the thread that receives results: a `multiprocessing.Pool` then waits for ever, a
`ProcessPoolExecutor` is broken for all other work too.

Give `super().__init__` all arguments, and put the text together in `__str__`; or say how it is pickled, in
`__reduce__`.

See https://docs.python.org/3/library/exceptions.html#BaseException.args and
https://docs.python.org/3/library/pickle.html#object.__reduce__.

Not reported: exceptions that are not raised in workers, classes with `__reduce__`, and arguments that have defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.index.facts import CallFact, FunctionFact
from conclint.knowledge.kinds import Context
from conclint.knowledge.pickling import SAYS_HOW
from conclint.model import Finding, Note, Place
from conclint.program.calls import Site
from conclint.program.contexts import call_place, site_place
from conclint.program.triggers import Triggers
from conclint.program.values import Sort, split_id
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.program.contexts import Run
    from conclint.program.evidence import Evidence
    from conclint.program.linking import Program

POOLS = ("multiprocessing.pool.Pool.", "concurrent.futures.ProcessPoolExecutor.")
RAISED = frozenset({"builtins.Exception", "builtins.BaseException", "builtins.RuntimeError", "builtins.ValueError"})


class _Raise(NamedTuple):
    """An exception of the program's own that is raised in a worker."""

    cls: str
    site: Site
    run: Run


def conclude(evidence: Evidence) -> Iterator[Finding]:
    program = evidence.program
    seen = set()
    for one in _raised(program):
        place = _loses(program, one)
        if place is not None and place not in seen:
            seen.add(place)
            name = one.cls.rpartition(":")[2]
            yield Finding(
                place,
                f"`{name}` needs more than its `args` to be made again in the parent, so the pool hangs or breaks when "
                "a worker raises it; give all arguments to `super().__init__`, or define `__reduce__`",
                notes=(Note(site_place(one.site), "it is raised here, in a worker process"),),
            )


def _raised(program: Program) -> Iterator[_Raise]:
    for identity in sorted(program.contexts.functions()):
        runs = [one for one in program.contexts.runs(identity) if one.context is Context.PROCESS]
        run = next((one for one in runs if one.root.how.startswith(POOLS)), None)
        file, function = program.calls.function(identity)
        for call in function.calls if run is not None else ():
            site = Site(file, function, call)
            if run is not None and not call.goes and call.func.rpartition(".")[2][:1].isupper():
                for value in program.calls.meaning(site).values:
                    if value.sort is Sort.CLASS and RAISED & {*program.names.classes.mro(value.name)}:
                        yield _Raise(value.name, site, run)


def _loses(program: Program, one: _Raise) -> Place | None:
    """Where it is given fewer `args` than it needs; None where it can be made again, or nobody knows."""
    facts = [program.names.scopes.class_(cls)[1] for cls in program.names.classes.mro(one.cls) if ":" in cls]
    if any(name in SAYS_HOW for fact in facts if fact is not None for name, _ in fact.methods):
        return None
    identity = program.calls.method(one.cls, "__init__")
    if not identity:
        return None
    file, function = program.calls.function(identity)
    least = _needed(function)
    if least < 0:
        return None
    above = [call for call in function.calls if call.func.endswith(".__init__")]
    if not above:
        short = len(one.site.call.args) < least and "*" not in one.site.call.args
        return site_place(one.site) if short and "**" not in dict(one.site.call.keywords) else None
    if len(above) > 1 or program.calls.targets(file, function, above[0].func):
        return None
    given = _given(above[0], function)
    # `args` are given by position, which a parameter behind the `*` never takes.
    named = any(param.kind == "kw" and not param.default for param in function.params)
    return call_place(split_id(identity)[0], above[0]) if 0 <= given < least or named else None


def _needed(function: FunctionFact) -> int:
    """How many arguments the constructor needs beside the object; -1 where it takes what comes."""
    if any(param.kind == "*" for param in function.params):
        return -1
    return sum(not param.default for param in function.params if param.kind in ("", "kw")) - 1


def _given(call: CallFact, function: FunctionFact) -> int:
    """How many arguments the base gets; -1 where nobody knows."""
    if "*" in call.args:
        return -1
    explicit = not call.func.startswith("super()") and call.args[:1] == (function.params[0].name,)
    return len(call.args) - explicit


RULE = Rule(
    code="CON614",
    name="exception-lost-in-pickle",
    triggers=Triggers(),
    conclude=conclude,
    examples=(
        Bad("""
            import multiprocessing as mp

            class Broken(Exception):
                def __init__(self, name, size):
                    super().__init__(f"{name}: {size} bytes")  # expect: CON614
                    self.name = name

            def check(name):
                if len(name) > 8:
                    raise Broken(name, len(name))

            def check_all(names):
                with mp.Pool() as pool:
                    return pool.map(check, names)
            """),
        Bad("""
            from concurrent.futures import ProcessPoolExecutor

            class Failed(RuntimeError):
                def __init__(self, step, *, code):
                    RuntimeError.__init__(self, f"{step} failed")  # expect: CON614
                    self.code = code

            def deep(step):
                raise Failed(step, code=3)

            def run(step):
                deep(step)

            def run_all(steps):
                with ProcessPoolExecutor() as pool:
                    return [each.result() for each in [pool.submit(run, step) for step in steps]]
            """),
        Bad("""
            from multiprocessing import Pool

            class Missing(Exception):
                def __init__(self, key):
                    self.key = key

            def look(key):
                raise Missing(key=key)  # expect: CON614

            def look_all(keys):
                with Pool() as pool:
                    return pool.map(look, keys)
            """),
        Good("""
            import multiprocessing as mp

            class Broken(Exception):
                def __init__(self, name, size):
                    super().__init__(name, size)
                    self.name = name

            class Told(Exception):
                def __init__(self, name, size):
                    super().__init__(f"{name}: {size} bytes")
                    self.name, self.size = name, size

                def __reduce__(self):
                    return type(self), (self.name, self.size)

            def check(name):
                if len(name) > 8:
                    raise Broken(name, len(name))
                raise Told(name, 0)

            def check_all(names):
                with mp.Pool() as pool:
                    return pool.map(check, names)
            """),
        Good("""
            class Broken(Exception):
                def __init__(self, name, size):
                    super().__init__(f"{name}: {size} bytes")

            def check(name):
                raise Broken(name, len(name))  # never leaves its process
            """),
        Good("""
            import multiprocessing as mp

            class Broken(Exception):
                def __init__(self, message, code=1, *rest):
                    super().__init__(message)

            class Plain(Exception):
                def __init__(self, key, size=0):
                    super().__init__(f"no {key}")

            def check(name):
                if name:
                    raise Broken(name)
                raise Plain(name)

            def check_all(names):
                with mp.Pool() as pool:
                    return pool.map(check, names)
            """),
    ),
)
