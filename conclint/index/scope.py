"""One function while the pass over its file is inside it: what it binds, calls and touches."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from conclint.index.facts import EACH, ONCE, CallFact, FunctionFact, Kind, ParamFact, Touch, Use
from conclint.index.paths import LITERALS, annotated, argument_path, elements, path_of, values
from conclint.index.shape import OPPOSITES, asked
from conclint.knowledge.containers import CHANGING, PUSHING
from conclint.knowledge.starting import HANDING

# Adding to a container: the method's name, and which argument becomes an item.
ADDERS = {"append": 0, "add": 0, "appendleft": 0, "insert": 1, "setdefault": 1}

# Displays and comprehensions: each time that they are evaluated they make a new container.
CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)

# Iterating over these yields the items of what they wrap.
TRANSPARENT = frozenset({"list", "tuple", "sorted", "reversed", "set", "frozenset", "iter", "deque", "tqdm"})

# What these give is a value, whatever it is computed from.
RESULTS = (ast.BinOp, ast.Compare, ast.JoinedStr)


# Defaults that are objects of their own, one for all calls.
KEPT = ("$list", "$dict", "$set")


class Scope:
    """One function while the walk is inside it."""

    def __init__(self, qualname: str, kind: int, owner: str, node: ast.AST) -> None:
        self.qualname, self.kind, self.owner = qualname, kind, owner
        self.line = getattr(node, "lineno", 1)
        self.params: list[ParamFact] = []
        self.decorators: list[str] = []
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.binds: dict[tuple[str, str], None] = {}
        self.entered_as: dict[str, dict[str, str]] = {}  # by variable of a `with`: its blocks, and what they enter
        self.calls: list[CallFact] = []
        self.touches: dict[str, tuple[int, int]] = {}
        self.returns: dict[str, None] = {}
        self.work = self.depth = 0
        self.loops: list[bool] = []  # the loops around: True where one may run long
        self.branches = self.whiles = 0
        self.captured = kind == Kind.MODULE  # whether functions inside can see its variables
        self.local: set[str] = set()
        self.given: frozenset[str] = frozenset()
        self.lasting: set[str] = set()  # parameters whose default is an object that changes

    def _tells(self, path: str, bits: int) -> bool:
        """Whether others may care: a plain local is its function's own, unless a nested function can see it.

        That items of it are deleted matters to the loops over it, what is done to a default to the next call, and what
        is done to a container that is handed in to others who have it.
        """
        known = self.captured or "." in path or path not in self.local or self._declared(path)
        lasts = bits & (Touch.ITEM | Touch.AUGMENTED) and path in self.lasting
        return known or path in self.given or bool(bits & Touch.DELETED or lasts)

    def _given(self, params: set[str]) -> Iterator[str]:
        """What others may have too: containers handed in that it changes, and what it hands to workers."""
        for call in self.calls:
            owner, _, name = call.func.rpartition(".")
            if owner in params and name in CHANGING:
                yield owner
            if name in HANDING:
                yield from (path for path in (*call.args, *(path for _, path in call.keywords)) if path.isidentifier())
        yield from (path for path, (bits, _) in self.touches.items() if bits & Touch.ITEM and path in params)

    def _declared(self, name: str) -> bool:
        return name in self.globals or name in self.nonlocals

    def fact(self) -> FunctionFact:
        self.local = {param.name for param in self.params}
        self.given = frozenset(self._given(self.local))
        self.lasting = {param.name for param in self.params if param.default.startswith(KEPT) or "(" in param.default}
        written = [path for path, (bits, _) in self.touches.items() if bits & Touch.WRITE and "." not in path]
        bound = {target for target, _ in self.binds}
        self.local.update(written)
        self.binds.update({(name, ""): None for name in written if name not in bound and not self._declared(name)})
        for blocks in self.entered_as.values():
            if len({*blocks.values()}) > 1:  # `pool` is one thing in this block and another in that one
                self.binds.update(dict.fromkeys(blocks.items()))
        return FunctionFact(
            self.qualname,
            self.kind,
            self.owner,
            self.line,
            tuple(self.params),
            tuple(self.decorators),
            tuple(sorted(self.globals)),
            tuple(sorted(self.nonlocals)),
            tuple(self.binds),
            tuple(self.calls),
            tuple((path, bits, line) for path, (bits, line) in self.touches.items() if self._tells(path, bits)),
            tuple(self.returns),
            self.work,
            self.depth,
        )

    # -- how its code runs

    def use(self) -> int:
        """How a call at this point stands in the function."""
        found = Use.NONE
        if self.loops:
            found |= Use.LOOP if True in self.loops else Use.LOOP | Use.SHORT
        if self.branches:
            found |= Use.BRANCH
        return found | Use.WHILE if self.whiles else found

    def enter_loop(self, *, long: bool) -> None:
        self.loops.append(long)
        self.depth = max(self.depth, self.loops.count(True))

    # -- what names are bound to

    def take(self, args: ast.arguments) -> None:
        """Remembers the parameters."""
        plain = [*args.posonlyargs, *args.args]
        missing: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults))
        pairs = [("", arg, default) for arg, default in zip(plain, [*missing, *args.defaults], strict=True)]
        if args.vararg:
            pairs.append(("*", args.vararg, None))
        pairs += [("kw", arg, default) for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
        if args.kwarg:
            pairs.append(("**", args.kwarg, None))
        for kind, arg, default in pairs:
            self.params.append(ParamFact(arg.arg, kind, _default(default)))
            if arg.annotation is not None and not kind.startswith("*"):
                for step, path in annotated(arg.annotation):
                    self.binds[arg.arg + step, path] = None

    def touch(self, path: str, bits: int, line: int) -> None:
        if path and path[0] != "$":
            old, first = self.touches.get(path, (0, line))
            self.touches[path] = (old | bits, first)

    def bind(self, target: ast.expr, value: ast.expr) -> list[str]:
        """Remembers what `target` may be; the paths that now hold the value itself."""
        if isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value)
            return []
        if isinstance(value, CONTAINERS):
            self._count(target)
        path = path_of(target)
        if path:
            for one in values(value):
                self.follow(path, one)
        return [path] if path else []

    def _count(self, target: ast.expr) -> None:
        """Remembers whether a new object is made for the variable once, or each time round a loop."""
        if isinstance(target, ast.Name):
            self.binds[(EACH if self.loops else ONCE) + target.id, ""] = None

    def enter(self, item: ast.withitem, block: ast.With | ast.AsyncWith) -> tuple[str, ...]:
        """Binds the variable of a `with` item; the path that now holds what was entered."""
        if item.optional_vars is None or not (path := path_of(item.optional_vars)):
            return ()
        source = path_of(item.context_expr)
        entered = source and source + ".__enter__()"
        self.binds[path, entered] = None
        if entered and path.isidentifier():
            within = f"$with.{path}.{block.body[0].lineno}.{block.end_lineno}"
            self.entered_as.setdefault(path, {})[within] = entered
        return (path,)

    def entered(self, expression: ast.expr, column: int) -> None:
        """`with x:` calls `x.__enter__`."""
        if path := path_of(expression):
            use = Use.WITH | self.use()
            self.calls.append(CallFact(path + ".__enter__", expression.lineno, column, (), (), use, ()))

    def asks(self, test: ast.expr, body: list[ast.stmt], rest: list[ast.stmt]) -> None:
        """Remembers which blocks are only reached where a parameter is so, or is given."""
        alone = not isinstance(test, ast.BoolOp)
        for name, how in asked(test):
            if any(param.name == name for param in self.params):
                self.binds[f"{how}.{name}.{body[0].lineno}.{body[-1].end_lineno}", ""] = None
                if rest and alone:
                    self.binds[f"{OPPOSITES[how]}.{name}.{rest[0].lineno}.{rest[-1].end_lineno}", ""] = None

    def give(self, value: ast.expr) -> None:
        """Remembers what a `return` gives."""
        for one in values(value):
            self.returns[path_of(one) or ("$const" if isinstance(one, RESULTS) else "")] = None
            for step, item in elements(one):
                self.follow("$return" + step, item)

    def augment(self, node: ast.AugAssign) -> None:
        """`x += [y]` puts y into x."""
        if True in self.loops:
            self.work += 2 if isinstance(node.target, ast.Subscript) else 1
        if isinstance(node.op, ast.Add):
            for step, item in elements(node.value):
                self.follow(path_of(node.target) + step, item)

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.expr) -> None:
        pairwise = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
        for number, part in enumerate(target.elts):
            if pairwise and isinstance(value, (ast.Tuple, ast.List)):
                self.bind(part, value.elts[number])
                if isinstance(value.elts[number], ast.Call):
                    self._count(part)
            elif not isinstance(part, (ast.Tuple, ast.List)) and (path := path_of(part)):
                source = path_of(value)
                self.binds[path, f"{source}.{number}" if source else ""] = None

    def follow(self, path: str, value: ast.expr) -> None:
        daemon = path.rpartition(".")[2] == "daemon" and isinstance(value, ast.Constant)
        self.binds[path, argument_path(value) if daemon else path_of(value)] = None
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in TRANSPARENT:
            source = path_of(value.args[0]) if value.args else ""
            if source:
                self.binds[path + "[]", source + "[*]"] = None
        for step, item in elements(value):
            for one in values(item):
                self.follow(path + step, one)

    @staticmethod
    def _adder(node: ast.Call) -> str:
        """The path of the items of the container to which this call adds."""
        if isinstance(node.func, ast.Attribute) and len(node.args) > ADDERS.get(node.func.attr, 99):
            owner = path_of(node.func.value)
            return owner and owner + "[]"
        return ""

    def adds(self, node: ast.Call, func: str) -> str:
        """Remembers what the call adds to a container; the path of the items of the one whose method it is."""
        adder = path = self._adder(node)
        name = func.rpartition(".")[2]
        if not path and name in PUSHING and len(node.args) > 1:
            path = path_of(node.args[0])
            path = path and path + "[]"
        if path:
            for one in values(node.args[ADDERS.get(name, 1)]):
                self.follow(path, one)
        return adder

    def iterate(self, target: ast.expr, iterated: ast.expr) -> None:
        """Binds a loop's target to the items of what it runs over."""
        name = iterated.func.id if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name) else ""
        if isinstance(iterated, ast.Call) and isinstance(target, ast.Tuple) and len(target.elts) > 1:
            if name == "enumerate" and iterated.args:
                return self.iterate(target.elts[1], iterated.args[0])
            if name == "zip":
                for part, source in zip(target.elts, iterated.args, strict=False):
                    self.iterate(part, source)
                return None
            if isinstance(iterated.func, ast.Attribute) and iterated.func.attr == "items":
                return self._item(target.elts[1], path_of(iterated.func.value), "[]")
        if isinstance(iterated, ast.Call) and name in TRANSPARENT and iterated.args:
            return self.iterate(target, iterated.args[0])
        if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Attribute):
            if iterated.func.attr == "values":
                return self._item(target, path_of(iterated.func.value), "[]")
            if iterated.func.attr == "copy":
                return self.iterate(target, iterated.func.value)
        path = path_of(target)
        for step, item in elements(iterated):
            if path and step == "[]":
                self.follow(path, item)
        for part in _joined(iterated):
            self.iterate(target, part)
        if isinstance(iterated, ast.BinOp) or type(iterated) in LITERALS:
            return None
        return self._item(target, path_of(iterated), "[*]")

    def _item(self, target: ast.expr, source: str, step: str) -> None:
        if not source:
            return
        if isinstance(target, (ast.Tuple, ast.List)):
            for number, part in enumerate(target.elts):
                self._item(part, source + step, f".{number}")
        elif path := path_of(target):
            self.binds[path, source + step] = None


def _joined(iterated: ast.expr) -> tuple[ast.expr, ...]:
    """The containers that `a + b`, `(*a, *b)` are put together of."""
    if isinstance(iterated, ast.BinOp):
        return iterated.left, iterated.right
    if isinstance(iterated, (ast.Tuple, ast.List, ast.Set)):
        return tuple(part.value for part in iterated.elts if isinstance(part, ast.Starred))
    return ()


def _default(node: ast.expr | None) -> str:
    """A parameter's default: as an argument is remembered, where it is True, False or None."""
    plain = isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))
    return argument_path(node) if node is not None and plain else path_of(node)
