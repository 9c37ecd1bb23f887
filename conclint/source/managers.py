"""Functions with `@contextmanager`: what an exception in the `with` block does in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.source import Source

MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})


def manager(source: Source, node: cst.CSTNode) -> cst.FunctionDef | None:
    """The generator around the node, if it is made a context manager."""
    function = source.function_node(node)
    if not isinstance(function, cst.FunctionDef):
        return None
    own = source.qualname_of(function)
    decorators = (source.named_at(own, path_of(one.decorator)) for one in function.decorators)
    made = any(MANAGERS & {*one.names} for one in decorators)
    return function if made else None
