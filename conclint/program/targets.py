"""What the functions do that a file starts somewhere, as its scene has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conclint.index.facts import FunctionFact
from conclint.model import Note, Place, Span
from conclint.program.contexts import site_place
from conclint.program.effects import Effect
from conclint.program.scene import TargetScene

if TYPE_CHECKING:
    from conclint.program.linking import Program


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
    parameters = len(function.params)
    return TargetScene(
        identity, effects, traces, parameters, serves, meets, computes, results, catches, endless, nested, bound
    )


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
