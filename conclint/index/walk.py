"""The one pass over a file's syntax tree that gathers its facts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import get_args

import conclint.index.shape as shape
from conclint.index.facts import ALONE, CallFact, ClassFact, FunctionFact, ImportFact, Kind, Touch, Use
from conclint.index.manner import manner
from conclint.index.paths import annotated, argument_path, lambda_path, path_of, values
from conclint.index.scope import ADDERS, Scope

WORK = (ast.BinOp, ast.Compare, ast.AugAssign, ast.Subscript)


class Walk:
    """Gathers facts; `column` turns a line and a byte offset into a column."""

    def __init__(self, column: Callable[[int, int], int]) -> None:
        self.functions: dict[str, FunctionFact] = {}
        self.classes: dict[str, ClassFact] = {}
        self.imports: list[ImportFact] = []
        self._column = column
        self._taken: set[str] = set()
        self._owner = ""  # the class whose body is walked
        self._methods: list[tuple[str, str]] = []  # of that class
        self._prefix = ""  # qualified name of the scope whose body is walked
        self._guarded = False
        self._here = Scope("", Kind.MODULE, "", ast.Pass())

    def module(self, tree: ast.Module) -> None:
        """Walks a whole file."""
        self._all(tree.body)
        self.functions[""] = self._here.fact()

    # -- walking

    def _visit(self, node: object) -> None:
        visitor = VISITORS.get(type(node), CHILDREN)
        if visitor is not None:
            visitor(self, node)

    def _children(self, node: ast.AST) -> None:
        if True in self._here.loops and isinstance(node, WORK):
            self._here.work += shape.weight(node)
        for name in shape.child_fields(type(node)):
            value = getattr(node, name)
            if isinstance(value, list):
                self._all(value)
            else:
                self._visit(value)

    def _all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            visitor = VISITORS.get(type(node), CHILDREN)
            if visitor is not None:
                visitor(self, node)

    # -- definitions

    def _visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._all(node.decorator_list)
        self._all([*node.args.defaults, *node.args.kw_defaults])
        kind = Kind.ASYNC if isinstance(node, ast.AsyncFunctionDef) else Kind.FUNCTION
        qualname = self._enter_name(node.name, node.lineno)
        opened = Scope(qualname, kind | manner(node.body), self._owner, node)
        opened.decorators = [path_of(one) for one in node.decorator_list]
        if self._owner:
            self._methods.append((node.name, qualname))
        self._function(opened, node.args, node.body, node.returns)

    _visit_AsyncFunctionDef = _visit_FunctionDef

    def _visit_Lambda(self, node: ast.Lambda) -> None:
        self._all([*node.args.defaults, *node.args.kw_defaults])
        qualname = self._enter_name(lambda_path(node), node.lineno)
        opened = Scope(qualname, Kind.LAMBDA, "", node)
        self._function(opened, node.args, [ast.Return(value=node.body)], None)

    def _enter_name(self, name: str, line: int) -> str:
        qualname = f"{self._prefix}.{name}" if self._prefix else name
        if qualname in self._taken:
            qualname = f"{qualname}#{line}"
        self._taken.add(qualname)
        return qualname

    def _function(self, opened: Scope, args: ast.arguments, body: Iterable[ast.AST], returns: ast.expr | None) -> None:
        outer, owner, prefix = self._here, self._owner, self._prefix
        outer.captured = True
        self._here, self._owner, self._prefix = opened, "", opened.qualname
        opened.take(args)
        for step, path in annotated(returns):
            opened.returns[path if not step else ""] = None
        self._all(body)
        self._here, self._owner, self._prefix = outer, owner, prefix
        self.functions[opened.qualname] = opened.fact()

    def _visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._all(node.decorator_list)
        self._all([*node.bases, *(word.value for word in node.keywords)])
        qualname = self._enter_name(node.name, node.lineno)
        outer, binds = (self._owner, self._prefix, self._methods), self._here.binds
        self._owner = self._prefix = qualname
        self._methods = []
        self._here.binds = {}
        self._all(node.body)
        inner, self._here.binds = self._here.binds, binds
        self.classes[qualname] = shape.class_fact(node, qualname, self._methods, inner)
        self._owner, self._prefix, self._methods = outer

    # -- names

    def _visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.imports += shape.imported(node, self._here.qualname)

    _visit_ImportFrom = _visit_Import

    def _visit_Global(self, node: ast.Global) -> None:
        self._here.globals.update(node.names)

    def _visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self._here.nonlocals.update(node.names)

    def _visit_Name(self, node: ast.Name) -> None:
        if not self._owner:  # a bare name in a class body is the class's own
            self._here.touch(node.id, shape.SEEN if type(node.ctx) is ast.Load else Touch.WRITE, node.lineno)

    def _visit_Attribute(self, node: ast.Attribute) -> None:
        self._here.touch(path_of(node), shape.SEEN if type(node.ctx) is ast.Load else Touch.WRITE, node.lineno)
        self._visit(node.value)

    def _touch(self, path: str, bits: int, line: int) -> None:
        if not self._owner or "." in path:
            self._here.touch(path, bits, line)

    def _visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._touch(path_of(node.value), shape.item_bits(node), node.lineno)
        if True in self._here.loops:
            self._here.work += 1
        self._all(shape.looked_at(node))
        self._visit(node.slice)

    # -- assignments

    def _visit_Assign(self, node: ast.Assign) -> None:
        goes: list[str] = []
        for target in node.targets:
            goes += self._here.bind(target, node.value)
            self._visit(target)
        self._value(node.value, tuple(goes))

    def _visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        target = path_of(node.target)
        for step, path in annotated(node.annotation):
            self._here.binds[target + step, path] = None
        if node.value is not None:
            goes = self._here.bind(node.target, node.value)
            self._visit(node.target)
            self._value(node.value, tuple(goes))

    def _visit_AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target.value if isinstance(node.target, ast.Subscript) else node.target
        bits = Touch.ITEM if isinstance(node.target, ast.Subscript) else Touch.WRITE
        self._touch(path_of(target), bits | Touch.AUGMENTED | Touch.READ, node.lineno)
        self._here.augment(node)
        if isinstance(node.target, ast.Subscript):
            self._visit(node.target.slice)
        self._value(node.value, ())
        if not isinstance(node.target, ast.Name):
            self._visit(node.target.value)

    def _value(self, value: ast.expr, goes: tuple[str, ...]) -> None:
        """Visits an expression whose value goes to `goes`."""
        visitor = VALUES.get(type(value))
        if visitor is None:
            self._visit(value)
        else:
            visitor(self, value, goes)

    def _value_IfExp(self, value: ast.IfExp, goes: tuple[str, ...]) -> None:
        self._here.branches += 1
        self._visit(value.test)
        self._value(value.body, goes)
        self._value(value.orelse, goes)
        self._here.branches -= 1

    def _value_BoolOp(self, value: ast.BoolOp, goes: tuple[str, ...]) -> None:
        for part in value.values:
            self._value(part, goes)

    def _value_NamedExpr(self, value: ast.NamedExpr, goes: tuple[str, ...] = ()) -> None:
        self._visit(value.target)
        self._value(value.value, goes + tuple(self._here.bind(value.target, value.value)))

    def _value_Starred(self, value: ast.Starred, goes: tuple[str, ...]) -> None:
        self._value(value.value, ())

    def _value_Dict(self, value: ast.List | ast.Tuple | ast.Set | ast.Dict, goes: tuple[str, ...]) -> None:
        if isinstance(value, ast.Dict):
            self._all(value.keys)
        for number, item in enumerate(value.values if isinstance(value, ast.Dict) else value.elts):
            step = f".{number}" if isinstance(value, ast.Tuple) else "[]"
            self._value(item, tuple([one + step for one in goes]))

    _value_List = _value_Tuple = _value_Set = _value_Dict

    # -- calls

    def _call(self, node: ast.Call, goes: tuple[str, ...] = (), use: int = Use.NONE) -> None:
        func = path_of(node.func)
        column = self._column(node.lineno, node.col_offset)
        positional = tuple(["*" if isinstance(arg, ast.Starred) else argument_path(arg) for arg in node.args])
        use |= self._here.use() | (Use.GUARDED if self._guarded else Use.NONE)
        self._here.calls.append(CallFact(func, node.lineno, column, positional, tuple(shape.keywords(node)), use, goes))
        adder = self._here.adds(node, func)
        if isinstance(node.func, ast.Attribute):
            if isinstance(node.func.value, ast.Call):
                self._call(node.func.value, ("$attr." + node.func.attr,))
            else:
                self._visit(node.func.value)
        elif not isinstance(node.func, ast.Name):
            self._visit(node.func)
        for number, arg in enumerate(node.args):
            self._value(arg, (adder,) if adder and number == ADDERS[func.rpartition(".")[2]] else ("$arg",))
        for word in node.keywords:
            self._value(word.value, ("$arg",))

    _value_Call = _call

    def _value_Await(self, node: ast.Await, goes: tuple[str, ...] = ()) -> None:
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
            if isinstance(node.value, (ast.Name, ast.Attribute)):
                self._touch(path_of(node.value) + ALONE, Touch.READ, node.lineno)
            self._value(node.value, ("$drop",))

    def _visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self._here.give(node.value)
            self._value(node.value, ("$return",))

    def _visit_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        self._here.kind |= Kind.GENERATOR
        for one in values(node.value):
            self._here.follow("$yield", one)
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
            self._guarded = guarded or shape.main_guard(arm.test)
            self._visit(arm.test)
            self._here.asks(arm.test, arm.body, rest := arm.orelse)
            self._all(arm.body)
            self._guarded = guarded
            arm = rest[0] if len(rest) == 1 and isinstance(rest[0], ast.If) else None
            if arm is None:
                self._all(rest)
        self._here.branches -= 1

    def _visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._here.branches += 1
        self._children(node)
        self._here.branches -= 1

    def _visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._here.iterate(node.target, node.iter)
        self._visit(node.target)
        self._value(node.iter, ())
        self._loop(shape.may_run_long(node.iter), node.body)
        self._all(node.orelse)

    _visit_AsyncFor = _visit_For

    def _visit_While(self, node: ast.While) -> None:
        self._here.binds.update((("$while", path), None) for path in shape.flags(node.test))
        self._here.whiles += 1
        self._loop(True, [node.test, *node.body])
        self._here.whiles -= 1
        self._all(node.orelse)

    def _loop(self, long: bool, body: Iterable[ast.AST]) -> None:
        self._here.enter_loop(long=long)
        self._all(body)
        self._here.loops.pop()

    def _value_ListComp(self, node: shape.Comprehension, goes: tuple[str, ...] = ()) -> None:
        for part in node.generators:
            self._here.iterate(part.target, part.iter)
            self._value(part.iter, ())
            self._visit(part.target)
            self._here.enter_loop(long=shape.may_run_long(part.iter))
            self._all(part.ifs)
        items = tuple([one + "[]" for one in goes])
        if isinstance(node, ast.DictComp):
            self._visit(node.key)
            self._value(node.value, items)
        else:
            self._value(node.elt, items)
        del self._here.loops[-len(node.generators) :]

    _value_SetComp = _value_GeneratorExp = _value_DictComp = _value_ListComp

    def _visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            goes = ("$with", *self._here.enter(item, node))
            if item.optional_vars is not None:
                self._visit(item.optional_vars)
            expression = item.context_expr
            if isinstance(expression, ast.Call):
                self._call(expression, goes, Use.WITH)
            else:
                self._value(expression, goes)
                self._here.entered(expression, self._column(expression.lineno, expression.col_offset))
        self._all(node.body)

    _visit_AsyncWith = _visit_With


CHILDREN = Walk._children

# By the type of an expression whose value goes somewhere, where it is not simply visited.
VALUES: dict[type[object], Callable[..., None]] = {
    getattr(ast, name[7:]): each for name, each in vars(Walk).items() if name.startswith("_value_")
}

# By the type of the node; None: nothing to see there, at or below.
VISITORS: dict[type[object], Callable[..., None] | None] = dict.fromkeys((*shape.LEAVES, type(None)))
VISITORS.update((getattr(ast, name[7:]), each) for name, each in vars(Walk).items() if name.startswith("_visit_"))
VISITORS.update((one, VALUES[one]) for one in (ast.Call, ast.NamedExpr, ast.Await, *get_args(shape.Comprehension)))
