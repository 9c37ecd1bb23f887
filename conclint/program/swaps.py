"""State that is replaced as a whole, so that whoever has the old one may go on with it."""

from __future__ import annotations

from collections.abc import Sequence

from conclint.program.calls import Site
from conclint.program.deep import is_own
from conclint.program.linking import Program
from conclint.program.observations import CUT, EMPTIED, SPENT, Access, Act
from conclint.program.values import Store, function_id

# What puts items into a list in its place.
FILLING = frozenset({"append", "extend", "insert", "add", "*="})

# What takes all items out of it in one step.
CLEARING = frozenset({"clear", CUT, EMPTIED, SPENT})


def failing(program: Program, store: Store, accesses: Sequence[Access]) -> Sequence[Access]:
    """Those that can go wrong: no loops over a list that gets its items by being replaced, and is only ever emptied.

    Such a loop just ends.
    """
    acts = {access.act for access in accesses}
    changing = {access.operation for access in accesses if access.resizes}
    if Act.ITERATE not in acts or Act.UNSTEADY in acts or not changing or changing - CLEARING:
        return accesses
    if any(access.operation in FILLING for access in accesses):
        return accesses
    if {value.name for value in program.names.held(store)} != {"builtins.list"}:
        return accesses
    return [access for access in accesses if access.act is not Act.ITERATE]


def is_given_up(program: Program, access: Access) -> bool:
    """`tags = self._tags`, then `self._reset()` that binds `self._tags` anew, then `return tags`."""
    file, function = program.calls.function(access.function)
    if not any(path == access.text and name in function.returns for name, path in function.binds):
        return False
    later = [call for call in function.calls if call.line > access.point.line]
    own = [site for site in (Site(file, function, call) for call in later) if is_own(site)]
    if not own:
        return False
    binders = {function_id(one.path, maker.qualname) for one, maker, _ in program.names.stores.puts(access.store)}
    called = (value for site in own for value in program.calls.targets(file, function, site.call.func))
    return any(value.name in binders for value in called)
