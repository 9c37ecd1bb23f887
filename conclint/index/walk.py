"""The one pass over a file's syntax tree that gathers its facts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from conclint.index.facts import CallFact, ClassFact, FunctionFact, ImportFact, Kind, ParamFact, Touch, Use
from conclint.index.paths import LITERALS, annotated, argument_path, elements, lambda_path, path_of, values

# Adding to a container: the method's name, and which argument becomes an item.
ADDERS = {"append": 0, "add": 0, "appendleft": 0, "insert": 1, "setdefault": 1}

# Iterating over these yields the items of what they wrap.
TRANSPARENT = frozenset({"list", "tuple", "sorted", "reversed", "set", "frozenset", "iter", "deque", "tqdm"})

WORK = (ast.BinOp, ast.Compare, ast.AugAssign, ast.Subscript)

# A loop over a literal or a range of at most so many steps ends soon.
SHORT_LOOP = 64


class _Open:
    """One function while the walk is inside it."""

    def __init__(self, qualname: str, kind: Kind, owner: str, node: ast.AST, region: int) -> None:
        self.qualname, self.kind, self.owner, self.region = qualname, kind, owner, region
        self.line = getattr(node, "lineno", 1)
        self.end_line = getattr(node, "end_lineno", 1)
        self.params: list[ParamFact] = []
        self.decorators: list[str] = []
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.binds: dict[tuple[str, str], None] = {}
        self.calls: list[CallFact] = []
        self.touches: dict[str, tuple[int, int]] = {}
        self.returns: dict[str, None] = {}
        self.work = self.depth = 0
        self.loops: list[bool] = []  # the loops around: True where one may run long
        self.branches = self.whiles = 0
        self.captured = kind is Kind.MODULE  # whether functions inside can see its variables
        self.local: set[str] = set()

    def _tells(self, path: str) -> bool:
        """Whether others may care: a plain local is its function's own, unless a nested function can see it."""
        return self.captured or "." in path or self._declared(path) or path not in self.local

    def _declared(self, name: str) -> bool:
        return name in self.globals or name in self.nonlocals

    def fact(self) -> FunctionFact:
        self.local = {param.name for param in self.params}
        written = [path for path, (bits, _) in self.touches.items() if bits & Touch.WRITE and "." not in path]
        bound = {target for target, _ in self.binds}
        self.local.update(written)
        self.binds.update({(name, ""): None for name in written if name not in bound and not self._declared(name)})
        return FunctionFact(
            self.qualname,
            int(self.kind),
            self.owner,
            self.line,
            self.end_line,
            self.region,
            tuple(self.params),
            tuple(self.decorators),
            tuple(sorted(self.globals)),
            tuple(sorted(self.nonlocals)),
            tuple(self.binds),
            tuple(self.calls),
            tuple((path, bits, line) for path, (bits, line) in self.touches.items() if self._tells(path)),
            tuple(self.returns),
            self.work,
            self.depth,
        )


class Walk:
    """Gathers facts; `column` turns a line and a byte offset into a column."""

    def __init__(self, column: Callable[[int, int], int]) -> None:
        self.functions: dict[str, FunctionFact] = {}
        self.classes: dict[str, ClassFact] = {}
        self.imports: list[ImportFact] = []
        self.regions: list[tuple[int, int]] = []
        self._column = column
        self._taken: set[str] = set()
        self._owner = ""  # the class whose body is walked
        self._prefix = ""  # qualified name of the scope whose body is walked
        self._guarded = False
        self._here = _Open("", Kind.MODULE, "", ast.Pass(), 0)
        self._visitors: dict[type[ast.AST], Callable[..., None]] = {
            getattr(ast, name[7:]): getattr(self, name) for name in dir(self) if name.startswith("_visit_")
        }

    def module(self, tree: ast.Module, lines: int) -> None:
        """Walks a whole file of `lines` lines."""
        self._here.end_line = lines
        starts = [(_first_line(node), isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))) for node in tree.body]
        for number, node in enumerate(tree.body):
            start, alone = starts[number]
            end = node.end_lineno or start
            if self.regions and not alone and not starts[number - 1][1]:
                self.regions[-1] = (self.regions[-1][0], end)
            else:
                self.regions.append((start, end))
            self._here.region = len(self.regions) - 1
            self._visit(node)
        self.functions[""] = self._here.fact()

    # -- walking

    def _visit(self, node: ast.AST) -> None:
        visitor = self._visitors.get(type(node))
        if visitor is not None:
            visitor(node)
        else:
            self._children(node)

    def _children(self, node: ast.AST) -> None:
        if isinstance(node, WORK) and True in self._here.loops:
            self._here.work += _weight(node)
        for name in node._fields:
            value = getattr(node, name)
            if isinstance(value, list):
                for item in value:
                    if isinstance(item, ast.AST):
                        self._visit(item)
            elif isinstance(value, ast.AST):
                self._visit(value)

    def _all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self._visit(node)

    # -- definitions

    def _visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._all(node.decorator_list)
        self._all([*node.args.defaults, *node.args.kw_defaults])
        kind = Kind.ASYNC if isinstance(node, ast.AsyncFunctionDef) else Kind.FUNCTION
        qualname = self._enter_name(node.name, node.lineno)
        opened = _Open(qualname, kind, self._owner, node, self._here.region)
        opened.decorators = [path_of(one) for one in node.decorator_list]
        if self._owner:
            self._methods.append((node.name, qualname))
        self._function(opened, node.args, node.body, node.returns)

    _visit_AsyncFunctionDef = _visit_FunctionDef

    def _visit_Lambda(self, node: ast.Lambda) -> None:
        self._all([*node.args.defaults, *node.args.kw_defaults])
        qualname = self._enter_name(lambda_path(node), node.lineno)
        opened = _Open(qualname, Kind.LAMBDA, "", node, self._here.region)
        self._function(opened, node.args, [ast.Return(value=node.body)], None)

    def _enter_name(self, name: str, line: int) -> str:
        qualname = f"{self._prefix}.{name}" if self._prefix else name
        if qualname in self._taken:
            qualname = f"{qualname}#{line}"
        self._taken.add(qualname)
        return qualname

    def _function(
        self, opened: _Open, args: ast.arguments, body: Iterable[ast.AST], returns: ast.expr | None
    ) -> None:
        outer, owner, prefix = self._here, self._owner, self._prefix
        outer.captured = True
        self._here, self._owner, self._prefix = opened, "", opened.qualname
        self._params(args)
        for step, path in annotated(returns):
            opened.returns[path if not step else ""] = None
        self._all(body)
        self._here, self._owner, self._prefix = outer, owner, prefix
        self.functions[opened.qualname] = opened.fact()

    def _params(self, args: ast.arguments) -> None:
        plain = [*args.posonlyargs, *args.args]
        missing: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults))
        pairs = [("", arg, default) for arg, default in zip(plain, [*missing, *args.defaults], strict=True)]
        if args.vararg:
            pairs.append(("*", args.vararg, None))
        pairs += [("kw", arg, default) for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
        if args.kwarg:
            pairs.append(("**", args.kwarg, None))
        for kind, arg, default in pairs:
            self._here.params.append(ParamFact(arg.arg, kind, path_of(default)))
            if not kind.startswith("*"):
                for step, path in annotated(arg.annotation):
                    self._here.binds[arg.arg + step, path] = None

    def _visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._all(node.decorator_list)
        self._all([*node.bases, *(word.value for word in node.keywords)])
        qualname = self._enter_name(node.name, node.lineno)
        outer, binds = (self._owner, self._prefix, self._methods), self._here.binds
        self._owner = self._prefix = qualname
        self._methods: list[tuple[str, str]] = []
        self._here.binds = {}
        self._all(node.body)
        inner, self._here.binds = self._here.binds, binds
        self.classes[qualname] = ClassFact(
            qualname,
            node.lineno,
            node.end_lineno or node.lineno,
            self._here.region,
            tuple(path_of(base) for base in node.bases),
            tuple(path_of(one) for one in node.decorator_list),
            tuple(self._methods),
            tuple(inner),
        )
        self._owner, self._prefix, self._methods = outer

    _methods: list[tuple[str, str]] = []

    # -- names

    def _visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            target = alias.name if alias.asname else name
            self.imports.append(ImportFact(self._here.qualname, name, target))
            if not alias.asname and "." in alias.name:
                # `import a.b` also makes sure that a.b is loaded: remembered, so that its file counts as used.
                self.imports.append(ImportFact(self._here.qualname, "", alias.name))

    def _visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.imports.append(ImportFact(self._here.qualname, "*", base))
            else:
                joined = base + alias.name if base.endswith(".") or not base else f"{base}.{alias.name}"
                self.imports.append(ImportFact(self._here.qualname, alias.asname or alias.name, joined))

    def _visit_Global(self, node: ast.Global) -> None:
        self._here.globals.update(node.names)

    def _visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self._here.nonlocals.update(node.names)

    def _touch(self, path: str, bits: Touch, line: int) -> None:
        in_class_body = bool(self._owner) and "." not in path
        if path and path[0] != "$" and not in_class_body:
            old, first = self._here.touches.get(path, (0, line))
            self._here.touches[path] = (old | int(bits), first)

    def _visit_Name(self, node: ast.Name) -> None:
        self._touch(node.id, Touch.READ if isinstance(node.ctx, ast.Load) else Touch.WRITE, node.lineno)

    def _visit_Attribute(self, node: ast.Attribute) -> None:
        bits = Touch.READ if isinstance(node.ctx, ast.Load) else Touch.WRITE
        self._touch(path_of(node), bits, node.lineno)
        self._visit(node.value)

    def _visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._touch(path_of(node.value), Touch.ITEM, node.lineno)
        if True in self._here.loops:
            self._here.work += 1
        self._visit(node.value)
        self._visit(node.slice)

    # -- assignments

    def _visit_Assign(self, node: ast.Assign) -> None:
        goes: list[str] = []
        for target in node.targets:
            goes += self._bind(target, node.value)
            self._visit(target)
        self._value(node.value, tuple(goes))

    def _visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        target = path_of(node.target)
        for step, path in annotated(node.annotation):
            self._here.binds[target + step, path] = None
        if node.value is not None:
            goes = self._bind(node.target, node.value)
            self._visit(node.target)
            self._value(node.value, tuple(goes))

    def _visit_AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target.value if isinstance(node.target, ast.Subscript) else node.target
        bits = Touch.ITEM if isinstance(node.target, ast.Subscript) else Touch.WRITE
        self._touch(path_of(target), bits | Touch.AUGMENTED | Touch.READ, node.lineno)
        if True in self._here.loops:
            self._here.work += 1
        if isinstance(node.op, ast.Add):
            for step, item in elements(node.value):
                self._follow(path_of(node.target) + step, item)
        if isinstance(node.target, ast.Subscript):
            self._visit(node.target.slice)
        self._value(node.value, ())
        if not isinstance(node.target, ast.Name):
            self._visit(node.target.value)

    def _visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._visit(node.target)
        self._value(node.value, tuple(self._bind(node.target, node.value)))

    def _bind(self, target: ast.expr, value: ast.expr) -> list[str]:
        """Remembers what `target` may be; the paths that now hold the value itself."""
        if isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value)
            return []
        path = path_of(target)
        if path:
            for one in values(value):
                self._follow(path, one)
        return [path] if path else []

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.expr) -> None:
        pairwise = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
        for number, part in enumerate(target.elts):
            if pairwise and isinstance(value, (ast.Tuple, ast.List)):
                self._bind(part, value.elts[number])
            elif not isinstance(part, (ast.Tuple, ast.List)) and (path := path_of(part)):
                source = path_of(value)
                self._here.binds[path, f"{source}.{number}" if source else ""] = None

    def _follow(self, path: str, value: ast.expr) -> None:
        daemon = path.endswith(".daemon") and isinstance(value, ast.Constant)
        self._here.binds[path, argument_path(value) if daemon else path_of(value)] = None
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in TRANSPARENT:
            source = path_of(value.args[0]) if value.args else ""
            if source:
                self._here.binds[path + "[]", source + "[*]"] = None
        for step, item in elements(value):
            for one in values(item):
                self._follow(path + step, one)

    def _value(self, value: ast.expr, goes: tuple[str, ...]) -> None:
        """Visits an expression whose value goes to `goes`."""
        if isinstance(value, ast.Call):
            self._call(value, goes)
        elif isinstance(value, ast.IfExp):
            self._here.branches += 1
            self._visit(value.test)
            self._value(value.body, goes)
            self._value(value.orelse, goes)
            self._here.branches -= 1
        elif isinstance(value, ast.BoolOp):
            for part in value.values:
                self._value(part, goes)
        elif isinstance(value, ast.Await):
            self._awaited(value, goes)
        elif isinstance(value, (ast.List, ast.Tuple, ast.Set)):
            for number, item in enumerate(value.elts):
                step = f".{number}" if isinstance(value, ast.Tuple) else "[]"
                self._value(item, tuple(one + step for one in goes))
        elif isinstance(value, ast.Dict):
            self._all(value.keys)
            for item in value.values:
                self._value(item, tuple(one + "[]" for one in goes))
        elif isinstance(value, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            self._comprehension(value, tuple(one + "[]" for one in goes))
        elif isinstance(value, ast.NamedExpr):
            self._visit(value.target)
            self._value(value.value, goes + tuple(self._bind(value.target, value.value)))
        elif isinstance(value, ast.Starred):
            self._value(value.value, ())
        else:
            self._visit(value)

    # -- calls

    def _visit_Call(self, node: ast.Call) -> None:
        self._call(node, ())

    def _call(self, node: ast.Call, goes: tuple[str, ...], use: Use = Use.NONE) -> None:
        here = self._here
        if here.loops:
            use |= Use.LOOP if True in here.loops else Use.LOOP | Use.SHORT
        if self._guarded:
            use |= Use.GUARDED
        if here.branches:
            use |= Use.BRANCH
        if here.whiles:
            use |= Use.WHILE
        func = path_of(node.func)
        here.calls.append(
            CallFact(
                func,
                node.lineno,
                self._column(node.lineno, node.col_offset),
                tuple("*" if isinstance(arg, ast.Starred) else argument_path(arg) for arg in node.args),
                tuple(_keywords(node)),
                int(use),
                goes,
            )
        )
        self._adds(node, func)
        if isinstance(node.func, ast.Attribute):
            if isinstance(node.func.value, ast.Call):
                self._call(node.func.value, ("$attr." + node.func.attr,))
            else:
                self._visit(node.func.value)
        elif not isinstance(node.func, ast.Name):
            self._visit(node.func)
        adder = self._adder(node)
        for number, arg in enumerate(node.args):
            self._value(arg, (adder,) if adder and number == ADDERS[func.rpartition(".")[2]] else ("$arg",))
        for word in node.keywords:
            self._value(word.value, ("$arg",))

    @staticmethod
    def _adder(node: ast.Call) -> str:
        """The path of the items of the container to which this call adds."""
        if isinstance(node.func, ast.Attribute) and len(node.args) > ADDERS.get(node.func.attr, 99):
            owner = path_of(node.func.value)
            return owner and owner + "[]"
        return ""

    def _adds(self, node: ast.Call, func: str) -> None:
        path = self._adder(node)
        if path:
            for one in values(node.args[ADDERS[func.rpartition(".")[2]]]):
                self._follow(path, one)

    def _visit_Await(self, node: ast.Await) -> None:
        self._awaited(node, ())

    def _awaited(self, node: ast.Await, goes: tuple[str, ...]) -> None:
        if isinstance(node.value, ast.Call):
            self._call(node.value, goes, Use.AWAITED)
        else:
            self._visit(node.value)

    def _visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self._call(node.value, ("$drop",), Use.DROPPED)
        elif isinstance(node.value, ast.Await) and isinstance(node.value.value, ast.Call):
            self._call(node.value.value, ("$drop",), Use.AWAITED | Use.DROPPED)
        else:
            self._value(node.value, ("$drop",))

    def _visit_Return(self, node: ast.Return) -> None:
        for one in values(node.value):
            path = path_of(one)
            self._here.returns[path] = None
            for step, item in elements(one):
                self._follow("$return" + step, item)
        if node.value is not None:
            self._value(node.value, ("$return",))

    def _visit_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        self._here.kind |= Kind.GENERATOR
        for one in values(node.value):
            self._follow("$yield", one)
        if node.value is not None:
            self._value(node.value, ("$yield",))

    _visit_YieldFrom = _visit_Yield

    # -- statements that change how what is below them runs

    def _visit_If(self, node: ast.If) -> None:
        # An `elif` chain nests one `If` in the other: walked as the flat list that its author sees.
        arm: ast.If | None = node
        self._here.branches += 1
        while arm is not None:
            guarded = self._guarded
            self._guarded = guarded or _main_guard(arm.test)
            self._visit(arm.test)
            self._all(arm.body)
            self._guarded = guarded
            rest = arm.orelse
            arm = rest[0] if len(rest) == 1 and isinstance(rest[0], ast.If) else None
            if arm is None:
                self._all(rest)
        self._here.branches -= 1

    def _visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._here.branches += 1
        self._children(node)
        self._here.branches -= 1

    def _visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._iterate(node.target, node.iter)
        self._visit(node.target)
        self._value(node.iter, ())
        self._loop(_may_run_long(node.iter), node.body)
        self._all(node.orelse)

    _visit_AsyncFor = _visit_For

    def _visit_While(self, node: ast.While) -> None:
        for path in _flags(node.test):
            self._here.binds["$while", path] = None
        self._here.whiles += 1
        self._loop(True, [node.test, *node.body])
        self._here.whiles -= 1
        self._all(node.orelse)

    def _loop(self, long: bool, body: Iterable[ast.AST]) -> None:
        here = self._here
        here.loops.append(long)
        here.depth = max(here.depth, here.loops.count(True))
        self._all(body)
        here.loops.pop()

    def _visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        self._comprehension(node, ())

    _visit_SetComp = _visit_GeneratorExp = _visit_DictComp = _visit_ListComp

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, goes: tuple[str, ...]
    ) -> None:
        opened = 0
        for part in node.generators:
            self._iterate(part.target, part.iter)
            self._value(part.iter, ())
            self._visit(part.target)
            self._here.loops.append(_may_run_long(part.iter))
            opened += 1
            self._here.depth = max(self._here.depth, self._here.loops.count(True))
            self._all(part.ifs)
        if isinstance(node, ast.DictComp):
            self._visit(node.key)
            self._value(node.value, goes)
        else:
            self._value(node.elt, goes)
        del self._here.loops[-opened:]

    def _iterate(self, target: ast.expr, iterated: ast.expr) -> None:
        """Binds a loop's target to the items of what it runs over."""
        name = iterated.func.id if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name) else ""
        if isinstance(iterated, ast.Call) and isinstance(target, ast.Tuple) and len(target.elts) > 1:
            if name == "enumerate" and iterated.args:
                return self._iterate(target.elts[1], iterated.args[0])
            if name == "zip":
                for part, source in zip(target.elts, iterated.args, strict=False):
                    self._iterate(part, source)
                return None
            if isinstance(iterated.func, ast.Attribute) and iterated.func.attr == "items":
                return self._item(target.elts[1], path_of(iterated.func.value), "[]")
        if isinstance(iterated, ast.Call) and name in TRANSPARENT and iterated.args:
            return self._iterate(target, iterated.args[0])
        if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Attribute):
            if iterated.func.attr == "values":
                return self._item(target, path_of(iterated.func.value), "[]")
            if iterated.func.attr == "copy":
                return self._iterate(target, iterated.func.value)
        path = path_of(target)
        for step, item in elements(iterated):
            if path and step == "[]":
                self._follow(path, item)
        if isinstance(iterated, ast.BinOp):
            self._iterate(target, iterated.left)
            return self._iterate(target, iterated.right)
        if type(iterated) in LITERALS:
            return None
        return self._item(target, path_of(iterated), "[*]")

    def _item(self, target: ast.expr, source: str, step: str) -> None:
        if not source:
            return
        if isinstance(target, (ast.Tuple, ast.List)):
            for number, part in enumerate(target.elts):
                self._item(part, source + step, f".{number}")
        elif path := path_of(target):
            self._here.binds[path, source + step] = None

    def _visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            goes: tuple[str, ...] = ("$with",)
            if item.optional_vars is not None:
                path = path_of(item.optional_vars)
                source = path_of(item.context_expr)
                if path:
                    self._here.binds[path, source and source + ".__enter__()"] = None
                    goes = ("$with", path)
                self._visit(item.optional_vars)
            expression = item.context_expr
            if isinstance(expression, ast.Call):
                self._call(expression, goes, Use.WITH)
            else:
                self._value(expression, goes)
                self._enter(expression)
        self._all(node.body)

    _visit_AsyncWith = _visit_With

    def _enter(self, expression: ast.expr) -> None:
        """`with x:` calls `x.__enter__`."""
        path = path_of(expression)
        if path:
            column = self._column(expression.lineno, expression.col_offset)
            self._here.calls.append(CallFact(path + ".__enter__", expression.lineno, column, (), (), int(Use.WITH), ()))


def _keywords(call: ast.Call) -> Iterable[tuple[str, str]]:
    """Keyword arguments; the items of `args=(…)` follow as `args.0`, `args.1`, …: they are another call's arguments."""
    for word in call.keywords:
        yield word.arg or "**", argument_path(word.value)
        if word.arg == "args" and isinstance(word.value, (ast.Tuple, ast.List)):
            for number, item in enumerate(word.value.elts):
                yield f"args.{number}", argument_path(item)


def _first_line(node: ast.stmt) -> int:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return node.lineno


def _main_guard(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and isinstance(test.ops[0], ast.Eq)
    )


def _weight(node: ast.AST) -> int:
    """How much work an operation is; putting text together is none to speak of."""
    if not isinstance(node, ast.BinOp):
        return 1
    texts = (ast.JoinedStr, ast.Constant)
    sides = [side for side in (node.left, node.right) if isinstance(side, texts)]
    return 0 if any(isinstance(side, ast.JoinedStr) or isinstance(side.value, (str, bytes)) for side in sides) else 2


def _flags(test: ast.expr) -> Iterator[str]:
    """What a loop asks each time round whether to go on: names, attributes and calls, or "" for ever."""
    if isinstance(test, ast.Constant):
        yield ""
    elif isinstance(test, ast.BoolOp):
        for part in test.values:
            yield from _flags(part)
    elif isinstance(test, ast.UnaryOp):
        yield from _flags(test.operand)
    elif isinstance(test, ast.Compare) and isinstance(test.comparators[0], ast.Constant):
        yield from _flags(test.left)
    elif isinstance(test, (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr)) and (path := path_of(test)):
        yield path


def _may_run_long(iterated: ast.expr) -> bool:
    """Whether a loop over it may take more than a few steps."""
    if isinstance(iterated, (ast.List, ast.Tuple, ast.Set, ast.Constant)):
        return False
    if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name) and iterated.func.id == "range":
        last = iterated.args[-1] if len(iterated.args) < 3 and iterated.args else None
        return not (isinstance(last, ast.Constant) and isinstance(last.value, int) and last.value <= SHORT_LOOP)
    return True
