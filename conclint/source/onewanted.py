"""Loops that look for one item and take it out: what they leave out matters only where the next one is wanted too."""

from __future__ import annotations

import re

import libcst as cst

from conclint.knowledge.containers import HASHED
from conclint.source.literals import target_names
from conclint.source.paths import path_of
from conclint.source.questions import conjuncts, names_in
from conclint.source.source import Source
from conclint.source.walking import Disturbed

# A value that many items can have: a literal, a constant.
CONSTANT = re.compile(r"(?:^|\.)_*[A-Z][A-Z0-9_]*$|^(?:None|True|False)$")
LITERALS = (cst.BaseNumber, cst.BaseString, cst.BaseDict, cst.BaseList, cst.Tuple)


def looks_for_one(source: Source, found: Disturbed) -> bool:
    """Whether the loop does nothing but take out the item that is, or has, the very thing that is looked for."""
    loop = found.loop
    if not isinstance(loop, cst.For) or found.types & HASHED or found.over.view or found.over.counted or found.by:
        return False
    branch = loop.body.body[0] if len(loop.body.body) == 1 else None
    if not isinstance(branch, cst.If) or branch.orelse is not None or not _is_taken_by_itself(found, loop):
        return False
    variables = set(target_names(loop.target))
    return any(_is_match(one, variables) for one in conjuncts(branch.test))


def _is_taken_by_itself(found: Disturbed, loop: cst.For) -> bool:
    """`items.remove(item)`; `del items[number]`, with the number from `enumerate`."""
    names = list(target_names(loop.target))
    numbered = isinstance(loop.iter, cst.Call) and path_of(loop.iter.func) == "enumerate"
    if isinstance(found.change, cst.Call):
        method, args = path_of(found.change.func).rpartition(".")[2], found.change.args
        wanted = {"remove": names, "pop": names[:1] if numbered else []}.get(method, [])
        return bool(args) and path_of(args[0].value) in wanted
    first = found.change.slice[0].slice if isinstance(found.change, cst.Subscript) else None
    return numbered and isinstance(first, cst.Index) and [path_of(first.value)] == names[:1]


def _is_match(test: cst.BaseExpression, variables: set[str]) -> bool:
    """`item is wanted`, `item.name == name`: one side is of the item, the other the same in all rounds."""
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return False
    target = test.comparisons[0]
    if not isinstance(target.operator, (cst.Equal, cst.Is)):
        return False
    own = [names_in(one) & variables for one in (test.left, target.comparator)]
    other = target.comparator if own[0] else test.left
    return bool(own[0]) != bool(own[1]) and not isinstance(other, LITERALS) and not CONSTANT.search(path_of(other))
