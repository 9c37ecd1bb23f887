"""The qualified names of the functions and classes of a file's parsed regions."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import libcst as cst

from conclint.program.scene import Scene
from conclint.source.tree import Region

SCOPES = (cst.FunctionDef, cst.ClassDef)


def qualified_names(regions: Sequence[Region], scene: Scene) -> dict[int, str]:
    """By the node's `id`; the scene says how a name is told from its earlier namesake."""
    named: dict[int, str] = {}
    scopes = sorted(scene.scopes, key=lambda scope: scope[1])
    lines = [line for _, line in scopes]
    for region, pieces in zip(regions, scene.regions, strict=True):
        free: dict[str, list[str]] = {}
        for first, last in pieces:
            for qualname, _ in scopes[bisect_left(lines, first) : bisect_right(lines, last)]:
                free.setdefault(_plain(qualname), []).append(qualname)
        for node in sorted((one for kind in SCOPES for one in region.all(kind)), key=region.sequence):
            if isinstance(node, SCOPES):
                prefix = _outer_name(node, region, named)
                wanted = f"{prefix}.{node.name.value}" if prefix else node.name.value
                candidates = free.get(_plain(wanted), [])
                named[id(node)] = candidates.pop(0) if candidates else wanted
    return named


def _plain(qualname: str) -> str:
    """A qualified name without the marks that tell namesakes apart."""
    return ".".join(part.partition("#")[0] for part in qualname.split("."))


def _outer_name(node: cst.CSTNode, region: Region, named: dict[int, str]) -> str:
    outer = region.parent(node)
    while outer is not None:
        if id(outer) in named:
            return named[id(outer)]
        outer = region.parent(outer)
    return ""
