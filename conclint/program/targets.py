"""What the functions do that a file starts somewhere, as its scene has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conclint.index.facts import FunctionFact, Kind
from conclint.model import Note, Place, Span
from conclint.program.calls import Site
from conclint.program.contexts import site_place
from conclint.program.effects import Effect
from conclint.program.files import File
from conclint.program.scene import TargetScene

if TYPE_CHECKING:
    from conclint.program.linking import Program

RUN = "asyncio.run"


def target_scene(program: Program, identity: str) -> TargetScene:
    """What is known of one function."""
    effects = program.effects.of(identity)
    notes = {effect: _trace(program, identity, effect) for effect in Effect if effects & effect}
    traces = tuple((effect, found) for effect, found in notes.items() if found)
    file, function = program.calls.function(identity)
    services = program.services
    serves, meets = services.serves(identity), services.meets(identity)
    own_results = effects & Effect.RESULTS and not program.effects.reason(identity, Effect.RESULTS)
    results = bool(own_results) and not _serves(function)
    computes = program.effects.computes(identity)
    given = any(not param.kind.startswith("*") for param in function.params)
    idle = not (given or function.calls or function.touches or function.returns)
    catches, endless = idle or program.errors.caught(identity), program.errors.never_ends(identity)
    nested = program.names.scopes.is_nested(file, function)
    bound = bool(function.owner) and not {"staticmethod", "classmethod"} & {*function.decorators}
    wraps = _only_runs_a_loop(program, file, function)
    found = (serves, meets, computes, results, catches, endless, nested, bound, wraps)
    return TargetScene(identity, effects, traces, len(function.params), *found)


def _trace(program: Program, identity: str, effect: Effect) -> tuple[Note, ...]:
    """The calls that lead to an effect; what computes in loops stands at the end of them."""
    sites = program.effects.reason(identity, effect)
    notes = tuple(Note(site_place(site), f"`{site.call.func}` is called here") for site in sites)
    origin = program.effects.origin(identity, effect) if effect is Effect.BUSY else ""
    if not origin:
        return notes
    file, function = program.calls.function(origin)
    place = Place(file.path, Span(function.line, 1, function.line, 1))
    return (*notes, Note(place, f"`{function.name}` computes in a loop"))


def _serves(function: FunctionFact) -> bool:
    """Whether it runs until it is told to stop: its results come as it goes."""
    return any(target == "$while" for target, _ in function.binds)


def _only_runs_a_loop(program: Program, file: File, function: FunctionFact) -> bool:
    """`return asyncio.run(fetch(url))`, and nothing else."""
    if function.kind & (Kind.ASYNC | Kind.GENERATOR) or not any(call.func.endswith("run") for call in function.calls):
        return False
    runs = [call for call in function.calls if RUN in program.calls.library_names(Site(file, function, call))]
    others = [call for call in function.calls if call not in runs]
    called = [program.calls.targets(file, function, call.func) for call in others]
    makes = all(all(program.calls.function(one.name)[1].kind & Kind.ASYNC for one in values) for values in called)
    own = [target for target, path in function.binds if path and not path.startswith(":")]
    return len(runs) == 1 and len(others) == 1 and bool(called[0]) and makes and not own
