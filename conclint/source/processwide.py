"""Where a file changes what all threads of the process have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from conclint.knowledge.kinds import Setting
from conclint.knowledge.settings import DEVICES, OPENING, WRITING_WHOLE
from conclint.program.observations import Change
from conclint.source.asking import questions
from conclint.source.literals import constant_text
from conclint.source.locks import Locks
from conclint.source.order import Order
from conclint.source.paths import argument, path_of
from conclint.source.source import Source
from conclint.source.tree import below

# What tells the main thread from others.
ASKING = frozenset({"threading.main_thread", "threading._MainThread"})
COMPARED = frozenset({"threading.current_thread", "threading.get_ident", "threading.get_native_id"})

# How many arguments these have where they only ask: docs.python.org/3/library/locale.html#locale.setlocale,
# csv.html#csv.field_size_limit, threading.html#threading.stack_size
ASKING_WITHOUT = {"locale.setlocale": 1, "csv.field_size_limit": 0, "threading.stack_size": 0}

TEXT = re.compile(r"(['\"])([^'\"\\]*)\1")

OPENERS = frozenset(name.rpartition(".")[2] for name in OPENING | WRITING_WHOLE)

# These are set by calls: whoever assigns to such a function puts another one in its place.
CALLED = frozenset({Setting.FIGURE, Setting.DIRECTORY, Setting.SIGNALS, Setting.LOCALE})

CATCHING = ("builtins.ValueError", "builtins.Exception", "builtins.BaseException")


def changes(source: Source, locks: Locks, order: Order) -> Iterator[Change]:
    """Every call and assignment in the parsed regions that sets something for the whole process."""
    table = source.knowledge.process_wide
    for node, anchor in _setting(source, {name.rpartition(".")[2] for name in table}):
        name = next((name for name in source.names(node) if name in table), "")
        replaced = not isinstance(anchor, cst.Call) and table.get(name) in CALLED
        if name and not replaced and not _only_asks(name, anchor) and not _asks_who_runs(source, anchor):
            caught = _caught(source, anchor)
            text = source.code(node)
            place = source.place(anchor)
            yield Change(table[name], name, order.point(anchor), place, text, locks.held(anchor), caught)
    for call, path in _written(source):
        yield Change(Setting.FILE, path, order.point(call), source.place(call), path, locks.held(call))
    yield from questions(source, locks, order)


def _only_asks(name: str, node: cst.CSTNode) -> bool:
    """`setlocale(LC_ALL)`, `field_size_limit()`: without a value they only tell what is set."""
    least = ASKING_WITHOUT.get(name)
    if least is None or not isinstance(node, cst.Call):
        return False
    return len(node.args) <= least or path_of(node.args[least].value) == "None"


def _written(source: Source) -> Iterator[tuple[cst.Call, str]]:
    """Files of a fixed name that are written from the beginning."""
    for call in source.all(cst.Call):
        if path_of(call.func).rpartition(".")[2] in OPENERS:
            path = _fixed_path(source, call)
            if path and not path.startswith(DEVICES):
                yield call, path


def _fixed_path(source: Source, call: cst.Call) -> str:
    names = set(source.names(call.func))
    own = isinstance(call.func, cst.Attribute) and any(name.startswith("pathlib.") for name in names)
    if names & OPENING:
        mode = argument(call, "mode", 0 if own else 1)
        if mode is None or "w" not in constant_text(mode.value):
            return ""
    elif not names & WRITING_WHOLE:
        return ""
    if not own:
        return _text(source, call.args[0].value) if call.args else ""
    made = call.func.value if isinstance(call.func, cst.Attribute) else None
    parts = [_text(source, arg.value) for arg in made.args] if isinstance(made, cst.Call) else []
    return "/".join(parts) if all(parts) else ""


def _text(source: Source, value: cst.BaseExpression) -> str:
    """A text that is written out, or a constant of the module that is bound to one and to nothing else."""
    if not isinstance(value, cst.Name) or not value.value.isupper():
        return constant_text(value)
    bound = re.findall(rf"^{value.value}\b[^=\n]*=\s*(.*)$", source.text.text, re.MULTILINE)
    quoted = TEXT.fullmatch(bound[0].strip()) if len(bound) == 1 else None
    return quoted[2] if quoted is not None else ""


def _setting(source: Source, last: set[str]) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """What is called or assigned to, with the call or statement that does it."""
    for call in source.all(cst.Call):
        path = path_of(call.func)
        if path.rpartition(".")[2] in last or "." not in path:
            yield call.func, call
    for assignment in source.all(cst.Assign):
        for target in assignment.targets:
            for one in _targets(target.target):
                # An attribute of another name only keeps what belongs to all: `self.out = sys.stdout`.
                if isinstance(one, cst.Subscript) or path_of(one).rpartition(".")[2] in last:
                    yield _variable(one), assignment
    for augmented in source.all(cst.AugAssign):
        yield _variable(augmented.target), augmented
    for deletion in source.all(cst.Del):
        for one in _targets(deletion.target):
            yield _variable(one), deletion


def _targets(target: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What is set of objects: a name alone only names something else from now on."""
    if isinstance(target, (cst.Tuple, cst.List)):
        yield from (one for element in target.elements for one in _targets(element.value))
    elif not isinstance(target, cst.Name):
        yield target


def _variable(target: cst.BaseExpression) -> cst.BaseExpression:
    return target.value if isinstance(target, cst.Subscript) else target


def _asks_who_runs(source: Source, node: cst.CSTNode) -> bool:
    """Whether the function looks which thread it is in: then the author knows."""
    around = source.function_node(node)
    if around is None:
        return False
    for one in below(around):
        if isinstance(one, (cst.Name, cst.Attribute)):
            names = {*source.names(one)}
            if names & ASKING or (names & COMPARED and source.nearest(one, cst.Comparison) is not None):
                return True
    return False


def _caught(source: Source, node: cst.CSTNode) -> bool:
    child = node
    for outer in source.ancestors(node):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            return False
        if isinstance(outer, cst.Try) and child is outer.body:
            for handler in outer.handlers:
                if handler.type is None or _catches(source, handler.type):
                    return True
        if isinstance(outer, cst.With) and any(_suppresses(source, item.item) for item in outer.items):
            return True
        child = outer
    return False


def _catches(source: Source, caught: cst.BaseExpression) -> bool:
    kinds = [one.value for one in caught.elements] if isinstance(caught, cst.Tuple) else [caught]
    return any(name in CATCHING for kind in kinds for name in source.names(kind))


def _suppresses(source: Source, item: cst.BaseExpression) -> bool:
    return (
        isinstance(item, cst.Call)
        and source.calls(item, "contextlib.suppress")
        and any(_catches(source, argument.value) for argument in item.args)
    )
