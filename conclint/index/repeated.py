"""What a mapping call gives to all the calls that it makes: `pool.map(work, [stats] * 8)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from conclint.index.paths import argument_path, path_of
from conclint.knowledge.starting import MAPS, UNPACKING

Plain = (ast.Name, ast.Attribute)


def same_for_all(call: ast.Call) -> Iterator[tuple[str, str]]:
    """`each.0`, `each.1`, …: the paths of what the function is given every time, by the place of its parameter."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for place, arg in enumerate(call.args[1:] if name in MAPS else ()):
        item, changing = _item(arg)
        unpacked = item.elts if name in UNPACKING and isinstance(item, ast.Tuple) and not place else []
        for number, part in enumerate(unpacked) if name in UNPACKING else ((place, item),):
            if isinstance(part, Plain) and path_of(part).partition(".")[0] not in changing:
                yield f"each.{number}", argument_path(part)


def _item(arg: ast.expr) -> tuple[ast.expr | None, frozenset[str]]:
    """What stands for each item of the argument, and the names in it that mean another thing each time."""
    if isinstance(arg, ast.BinOp) and isinstance(arg.op, ast.Mult):
        display = next((side for side in (arg.left, arg.right) if isinstance(side, (ast.List, ast.Tuple))), None)
        return (display.elts[0] if display is not None and len(display.elts) == 1 else None), frozenset()
    if isinstance(arg, (ast.List, ast.Tuple)):
        alike = len({ast.dump(one) for one in arg.elts}) == 1 and len(arg.elts) > 1
        return (arg.elts[0] if alike else None), frozenset()
    if isinstance(arg, (ast.ListComp, ast.GeneratorExp)):
        names = (one.id for part in arg.generators for one in ast.walk(part.target) if isinstance(one, ast.Name))
        return arg.elt, frozenset(names)
    if isinstance(arg, ast.Call) and path_of(arg.func).rpartition(".")[2] == "repeat" and arg.args:
        return arg.args[0], frozenset()
    return None, frozenset()
