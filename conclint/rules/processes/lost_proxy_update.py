"""A change through a manager's proxy is lost here, or takes two steps in which another process can come between.

A proxy of a manager's dict or list sends each operation to the manager's process.  What `d[key]` gives is a copy: a
list in it that is appended to, or a dict in it that gets an item, is changed here only.  And `d[key] += 1` sends two
operations, a read and a write; `value += 1` on a manager's `Value`, which has no lock of its own, likewise.

Put the changed copy back, `items = d[key]; items.append(x); d[key] = items`, or nest proxies: `d[key] =
manager.list()`.  Hold a lock of the manager's around both steps: `with lock: d[key] += 1`.

See https://docs.python.org/3/library/multiprocessing.html#multiprocessing-proxy-objects.

Not reported: nested proxies, updates below a lock or in code that only one process runs, and keys that are not
constants, since most programs give each process its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.kinds import Context
from conclint.model import Finding, Note
from conclint.program.triggers import updates
from conclint.rules.rule import Bad, Good, Rule
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.source import Source
    from conclint.source.tree import Function

_MANAGERS = "multiprocessing.managers"
DICT, LIST = f"{_MANAGERS}.DictProxy", f"{_MANAGERS}.ListProxy"
VALUE, SPACE = f"{_MANAGERS}.ValueProxy", f"{_MANAGERS}.NamespaceProxy"
CHANGING = frozenset(
    (
        "append",
        "extend",
        "insert",
        "remove",
        "pop",
        "clear",
        "add",
        "discard",
        "update",
        "setdefault",
        "sort",
        "reverse",
    )
)


def check(source: Source) -> Iterator[Finding]:
    yield from _lost(source)
    for update in source.all(cst.AugAssign):
        proxy = _updated(source, update.target)
        notes = _beside(source, update) if proxy is not None else None
        if notes is not None:
            yield Finding(
                source.place(update),
                f"`{source.code(update.target)} {source.operator(update)}` on a manager's proxy reads and writes in "
                "two steps, and processes lose what others wrote in between; hold one of the manager's locks around it",
                notes=notes,
            )


def _lost(source: Source) -> Iterator[Finding]:
    """Changes to the copy that an item of a proxy is."""
    for item in source.all(cst.Subscript):
        types = source.types(item.value)
        if not {DICT, LIST} & {*types} or _nests(source, item.value):
            continue
        changed = _changed(source, item)
        if changed is not None:
            name = source.code(item)
            yield Finding(
                source.place(changed),
                f"`{name}` is a copy of what the manager has, so this change is lost; "
                f"put the changed copy back, or make it a proxy too",
            )


def _changed(source: Source, item: cst.Subscript) -> cst.CSTNode | None:
    """The statement's expression that changes it: `d[k].append(x)`, `d[k][i] = x`."""
    outer = source.parent(item)
    if isinstance(outer, cst.Attribute) and outer.attr.value in CHANGING:
        call = source.parent(outer)
        return call if isinstance(call, cst.Call) and isinstance(source.parent(call), cst.Expr) else None
    if isinstance(outer, cst.Subscript) and outer.value is item:
        target = source.parent(outer)
        written = isinstance(target, (cst.AssignTarget, cst.Del)) or (
            isinstance(target, cst.AugAssign) and target.target is outer
        )
        return outer if written else None
    return None


def _nests(source: Source, proxy: cst.BaseExpression) -> bool:
    """Whether what the proxy holds may be proxies: something of a manager's is put there."""
    from conclint.source.tree import below

    path = path_of(proxy)
    held = source.named_at(source.qualname(proxy), f"{path}[]").types
    if any(name.startswith(_MANAGERS) for name in held):
        return True
    last = path.rpartition(".")[2]
    home = _made_in(source, path, proxy)
    for target in source.all(cst.AssignTarget):
        if home is not None and source.function_node(target) is not home:
            continue  # another function's, which only has the same name
        assign = source.parent(target)
        value = assign.value if isinstance(assign, cst.Assign) else None
        item = isinstance(target.target, cst.Subscript)
        spelled = path_of(target.target.value if isinstance(target.target, cst.Subscript) else target.target)
        if spelled.rpartition(".")[2] != last or value is None:
            continue
        inside = [part for part in below(value) if isinstance(part, cst.Call) and (item or part is not value)]
        if any(_may_be_proxy(source, call) for call in inside):
            return True
    return False


def _made_in(source: Source, path: str, proxy: cst.BaseExpression) -> Function | None:
    """The function around, if the proxy is a name that it binds itself."""
    around = source.function_node(proxy)
    if "." in path or around is None:
        return None
    bound = (one for one in source.all(cst.AssignTarget) if source.function_node(one) is around)
    return around if any(path_of(one.target) == path for one in bound) else None


def _may_be_proxy(source: Source, call: cst.Call) -> bool:
    """A call of something of a manager's, or of what nobody knows."""
    names = source.names(call.func)
    return not names or any("manager" in name.lower() for name in names)


def _updated(source: Source, target: cst.BaseAssignTargetExpression) -> cst.BaseExpression | None:
    """The proxy that an augmented assignment changes: `v.value += 1`, `d["n"] += 1`."""
    if isinstance(target, cst.Attribute):
        types = source.types(target.value)
        counts = VALUE in types and target.attr.value in ("value",)
        return target.value if counts or SPACE in types else None
    if isinstance(target, cst.Subscript) and {DICT, LIST} & {*source.types(target.value)}:
        first = target.slice[0].slice
        constant = isinstance(first, cst.Index) and isinstance(first.value, (cst.SimpleString, cst.Integer))
        return target.value if constant else None
    return None


def _beside(source: Source, update: cst.AugAssign) -> tuple[Note, ...] | None:
    """How several processes come to run this code without a lock; None where nothing shows that they do."""
    function = source.function(update)
    runs = function.runs_in(Context.PROCESS) if function is not None else ()
    run = next((one for one in runs if one.many or len(runs) > 1), None)
    if run is None or source.held(update):
        return None
    for outer in source.ancestors(update):
        if isinstance(outer, cst.With) and any("lock" in source.code(item.item).lower() for item in outer.items):
            return None
        if isinstance(outer, cst.FunctionDef):
            break
    return run.trace


RULE = Rule(
    code="CON610",
    name="lost-proxy-update",
    triggers=updates(DICT, LIST, VALUE, SPACE),
    check=check,
    examples=(
        Bad("""
            import multiprocessing as mp

            def collect(found, name):
                found[name].append(len(name))  # expect: CON610

            def run(names):
                with mp.Manager() as manager:
                    found = manager.dict({name: [] for name in names})
                    for name in names:
                        mp.Process(target=collect, args=(found, name)).start()
                    found["all"] = []
                    found["all"].extend(names)  # expect: CON610
                    return dict(found)
            """),
        Bad("""
            from multiprocessing import Manager, Process

            def count(totals, words):
                for word in words:
                    totals["words"] += 1  # expect: CON610

            def run(pages):
                totals = Manager().dict(words=0)
                children = [Process(target=count, args=(totals, page)) for page in pages]
                for child in children:
                    child.start()
                for child in children:
                    child.join()
            """),
        Bad("""
            import multiprocessing

            class Report:
                def __init__(self):
                    self.manager = multiprocessing.Manager()
                    self.rows = self.manager.list([{}, {}])
                    self.done = self.manager.Value("i", 0)

                def work(self, row):
                    self.rows[row]["size"] = row * 2  # expect: CON610
                    self.done.value += 1  # expect: CON610

                def run(self):
                    for row in range(2):
                        multiprocessing.Process(target=self.work, args=(row,)).start()
            """),
        Good("""
            import multiprocessing as mp

            def collect(found, name):
                sizes = found[name]
                sizes.append(len(name))
                found[name] = sizes

            def run(names):
                with mp.Manager() as manager:
                    found = manager.dict({name: [] for name in names})
                    for name in names:
                        mp.Process(target=collect, args=(found, name)).start()
            """),
        Good("""
            import multiprocessing as mp

            def run(names):
                manager = mp.Manager()
                found = manager.dict()
                for name in names:
                    found[name] = manager.list()
                    found[name].append(len(name))
                return found
            """),
        Good("""
            from multiprocessing import Manager, Process

            def count(totals, lock, words):
                for word in words:
                    with lock:
                        totals["words"] += 1
                    totals[word] += 1

            def run(pages):
                manager = Manager()
                totals, lock = manager.dict(words=0), manager.Lock()
                for page in pages:
                    Process(target=count, args=(totals, lock, page)).start()
            """),
        Good("""
            from multiprocessing import Manager

            def total(words):
                totals = Manager().dict(words=0)
                for word in words:
                    totals["words"] += 1
                return totals
            """),
    ),
)
