"""What becomes of a handle, as the plain data of a scene."""

from __future__ import annotations

from conclint.index.facts import CallFact
from conclint.knowledge.lives import JOINS
from conclint.program.contexts import site_place
from conclint.program.handles import Fate
from conclint.program.scene import FateScene


def fate_scene(call: CallFact, fate: Fate, targets: tuple[str, ...], *, told: bool, repeated: bool) -> FateScene:
    return FateScene(
        line=call.line,
        column=call.column,
        func=call.func,
        methods=tuple(sorted({use.method for use in fate.uses})),
        escapes=tuple(sorted(fate.escapes)),
        stores=fate.stores,
        daemon=fate.daemon,
        uses=tuple(sorted((use.method, use.site.file.path, use.site.call.line) for use in fate.uses)),
        targets=targets,
        told=told,
        joins=tuple(sorted(site_place(site) for site in fate.sites(*JOINS) if _unlimited(site.call))),
        repeated=repeated,
    )


def _unlimited(join: CallFact) -> bool:
    """`join()`, `join(None)`: not `join(timeout)`."""
    return all(path == "=None" for path in (*join.args, *(path for _, path in join.keywords)))
