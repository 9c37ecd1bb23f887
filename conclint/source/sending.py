"""What is sent to other processes, and why some of it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.lives import PROCESS
from conclint.knowledge.pickling import INHERITED
from conclint.model import Note
from conclint.program.pickles import CONSTRUCTORS, FUNCTION, SOMEWHERE, Held, kind_of
from conclint.source.jobs import EXECUTOR, POOL, THREAD_POOL, jobs, packed, plain_pickle
from conclint.source.literals import bindings, bound_names
from conclint.source.makers import makers
from conclint.source.paths import argument, partial_target, path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.jobs import Job
    from conclint.source.makers import Maker
    from conclint.source.source import Source

# How the pools send what they are given: whatever the start method is.
QUEUED = "queued"

# docs.python.org/3/library/asyncio-eventloop.html#executing-code-in-thread-or-process-pools
IN_EXECUTOR = "asyncio.AbstractEventLoop.run_in_executor"

# pytorch.org/docs/stable/data.html#platform-specific-behaviors: on Windows and macOS these are pickled
LOADER = "torch.utils.data.DataLoader"

BY_PICKLE = frozenset({QUEUED, "spawn", "forkserver", ""})


class Sent(NamedTuple):
    """An expression whose value goes to a process with `call`: what it runs (`runs`), or an argument."""

    call: cst.Call
    value: cst.BaseExpression
    method: str  # the start method of the process, or QUEUED
    runs: bool

    @property
    def pickled(self) -> bool:
        return self.method in BY_PICKLE

    @property
    def where(self) -> str:
        """When it fails, as part of a sentence."""
        return "" if self.method else SOMEWHERE


class Obstacle(NamedTuple):
    """Why something cannot be sent: what it is in words, the library class at fault, and where that is made."""

    what: str
    kind: str
    notes: tuple[Note, ...] = ()


def sent(source: Source) -> Iterator[Sent]:
    """Everything in the parsed regions that goes to another process as a callable or an argument."""
    if not plain_pickle(source):
        return
    for job in jobs(source):
        if not job.threads:
            yield from _by_job(job)
    for made in makers(source):
        if made.kind == PROCESS:
            yield from _by_process(source, made)
    for call in source.all(cst.Call):
        yield from _by_other(source, call)


def _by_other(source: Source, call: cst.Call) -> Iterator[Sent]:
    """Pools' initializers, `loop.run_in_executor(processes, f, x)`, what torch's loaders call in their workers."""
    if source.calls(call, POOL, EXECUTOR) and not source.calls(call, THREAD_POOL):
        yield from _by_initializer(source, call)
    elif source.calls(call, IN_EXECUTOR) and len(call.args) > 1 and EXECUTOR in source.types(call.args[0].value):
        yield Sent(call, call.args[1].value, QUEUED, runs=True)
        yield from (Sent(call, value, QUEUED, runs=False) for value in _bound(call.args[1].value))
        yield from (Sent(call, arg.value, QUEUED, runs=False) for arg in call.args[2:] if not arg.star)
    elif source.calls(call, LOADER) and "set_start_method" not in source.text.text:
        workers = argument(call, "num_workers")
        if workers is not None and source.code(workers.value) != "0":
            given = (argument(call, word) for word in ("collate_fn", "worker_init_fn"))
            yield from (Sent(call, arg.value, "", runs=True) for arg in given if arg is not None)


def _by_job(job: Job) -> Iterator[Sent]:
    if job.function is not None:
        yield Sent(job.call, job.function, QUEUED, runs=True)
        yield from (Sent(job.call, value, QUEUED, runs=False) for value in _bound(job.function))
    yield from (Sent(job.call, value, QUEUED, runs=False) for value in job.arguments)
    for arg in job.call.args[1:2]:
        if isinstance(arg.value, (cst.ListComp, cst.GeneratorExp)):
            yield from (Sent(job.call, value, QUEUED, runs=False) for value in packed(arg.value.elt))


def _by_process(source: Source, made: Maker) -> Iterator[Sent]:
    fate = source.fate(made.call)
    if fate is not None and not fate.begun and not fate.escapes and not made.own:
        return
    method = fate.start_method if fate is not None else "?"
    target = made.given("target")
    if target is not None:
        yield Sent(made.call, target.value, method, runs=True)
        yield from (Sent(made.call, value, method, runs=False) for value in _bound(target.value))
    for name in ("args", "kwargs"):
        given = made.given(name)
        for value in packed(given.value) if given is not None else ():
            yield Sent(made.call, value, method, runs=False)


def _bound(callable_: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The arguments that a `partial` binds."""
    if isinstance(callable_, cst.Call) and partial_target(callable_) is not None:
        yield from (arg.value for arg in callable_.args[1:] if not arg.star)


def _by_initializer(source: Source, made: cst.Call) -> Iterator[Sent]:
    """What the workers of a pool are given when they start."""
    fate = source.fate(made)
    place = 1 if source.calls(made, POOL) else 2
    first, args = argument(made, "initializer", place), argument(made, "initargs", place + 1)
    if fate is not None and first is not None:
        yield Sent(made, first.value, fate.start_method, runs=True)
        for value in packed(args.value) if args is not None else ():
            yield Sent(made, value, fate.start_method, runs=False)


# -- functions


def unsendable_function(source: Source, one: Sent) -> Obstacle | None:
    """Why what is to run cannot be pickled; None where it can, or nobody knows."""
    value = one.value
    target = partial_target(value) if isinstance(value, cst.Call) else None
    value = target or value
    if isinstance(value, cst.Lambda) or _is_lambda(source, value):
        return Obstacle("a lambda", FUNCTION)
    functions = source.named(value).functions
    targets = [source.target(name) for name in functions]
    if _is_nested(source, value):
        return Obstacle(f"`{source.code(value)}`, which is defined inside another function,", FUNCTION)
    if not targets or any(target is None for target in targets):
        return None
    if all(target is not None and target.nested for target in targets):
        name = functions[0].rpartition(".")[2]
        return Obstacle(f"`{name}`, which is defined inside another function,", FUNCTION)
    if isinstance(value, cst.Attribute) and all(target is not None and target.bound for target in targets):
        return _receiver(source, one, value)
    return None


def _is_nested(source: Source, value: cst.BaseExpression) -> bool:
    """Whether it is a function that is defined around here, in the function that sends it."""
    around = source.function_node(value)
    if not isinstance(value, cst.Name) or not isinstance(around, cst.FunctionDef):
        return False
    named = [part for part in below(around.body) if isinstance(part, (cst.FunctionDef, cst.Global, cst.AssignTarget))]
    defined = [one for one in named if isinstance(one, cst.FunctionDef) and one.name.value == value.value]
    others = (one for one in named if not isinstance(one, cst.FunctionDef))
    return (
        bool(defined)
        and all(source.function_node(one) is around for one in defined)
        and not any(
            value.value in {item.name.value for item in one.names}
            if isinstance(one, cst.Global)
            else isinstance(one, cst.AssignTarget) and path_of(one.target) == value.value
            for one in others
        )
    )


def _is_lambda(source: Source, value: cst.BaseExpression) -> bool:
    functions = source.named(value).functions
    return bool(functions) and all(name.rpartition(".py:")[2].rpartition(".")[2][:7] == "$lambda" for name in functions)


def _receiver(source: Source, one: Sent, method: cst.Attribute) -> Obstacle | None:
    """What keeps the object from being sent whose method is to run there."""
    owner = source.code(method.value)
    types = source.types(method.value)
    cls = types[0] if types else _own_class(source, method)
    held = _held(source, one, method.value, cls)
    if held is not None:
        return _explained(f"`{source.code(method)}`, whose object has", held)
    func = one.call.func
    pool = func.value if isinstance(func, cst.Attribute) else None
    same = isinstance(pool, cst.Attribute) and path_of(pool.value) == path_of(method.value) and bool(path_of(pool))
    if same and isinstance(pool, cst.Attribute) and not says_how(source):
        return Obstacle(
            f"`{source.code(method)}`, whose object has the pool itself in `{owner}.{pool.attr.value}`,", ""
        )
    return None


def says_how(source: Source) -> bool:
    """Whether classes here may say themselves how they are pickled."""
    return "__getstate__" in source.text.text or "__reduce" in source.text.text


def _own_class(source: Source, method: cst.Attribute) -> str:
    if not source.is_receiver(method):
        return ""
    around = source.nearest(method, cst.ClassDef)
    return f"{source.path}:{source.class_name(around)}" if around is not None else ""


# -- arguments


def unsendable_argument(source: Source, one: Sent) -> Obstacle | None:
    """Why an argument cannot be sent; None where it can, or nobody knows."""
    value = one.value
    if isinstance(value, cst.GeneratorExp) or _names_generator(source, value):
        return Obstacle("a generator", "generator")
    if isinstance(value, cst.Lambda):
        return Obstacle("a lambda", FUNCTION)
    types = source.types(value)
    if not types:
        return None
    if ":" in types[0]:
        held = _held(source, one, value, types[0])
        return _explained(f"`{source.code(value)}`, which has", held) if held is not None else None
    kind = kind_of(types)
    certain = not set(types) - {*source.knowledge.ancestors(types[0])}
    if not kind or not certain or (one.method != QUEUED and kind in INHERITED):
        return None
    return Obstacle(f"`{source.code(value)}`, a `{types[0]}`,", kind)


def _names_generator(source: Source, value: cst.BaseExpression) -> bool:
    """Whether it is a name that its function binds to `(… for …)`, and to nothing else."""
    around = source.function_node(value)
    if not isinstance(value, cst.Name) or around is None:
        return False
    bound = [one for one in bindings(source, around) if value.value in bound_names(one)]
    made = [source.parent(one) for one in bound]
    return bool(made) and all(isinstance(one, cst.Assign) and isinstance(one.value, cst.GeneratorExp) for one in made)


def _held(source: Source, sent_: Sent, owner: cst.BaseExpression, cls: str) -> Held | None:
    """What an object of the class has in it that cannot be sent, unless it was taken out before."""
    function = source.function_node(sent_.call)
    cleared = set(_cleared(function)) if function is not None else set()
    constructing = isinstance(function, cst.FunctionDef) and function.name.value in CONSTRUCTORS
    line = source.span(sent_.call).line
    for one in source.scene.unpicklable:
        inherited = sent_.method != QUEUED and one.kind in INHERITED
        if one.cls != cls or inherited or f"{path_of(owner)}.{one.attribute}" in cleared:
            continue
        if not constructing or not source.is_receiver(owner) or one.place.span.line < line:
            return one
    return None


def _cleared(function: cst.CSTNode) -> Iterator[str]:
    """The attributes that the function sets to None."""
    for part in below(function):
        if isinstance(part, cst.Assign) and path_of(part.value) == "None":
            yield from (path_of(target.target) for target in part.targets)


def _explained(what: str, held: Held) -> Obstacle:
    made = f"`self.{held.attribute}`" if held.attribute else "its class"
    kind = "a lambda" if held.kind == FUNCTION else f"a `{held.kind}`"
    return Obstacle(f"{what} {kind},", held.kind, (Note(held.place, f"{made} is {kind}"),))
