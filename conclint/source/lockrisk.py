"""What may raise an exception, as far as anybody would think of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.names import below, members
from conclint.source.lockuse import FUNCTIONS, body_nodes, lock_call
from conclint.source.paths import path_of

if TYPE_CHECKING:
    from conclint.source.source import Source

# Moving values about raises nothing; these may.
OPERATIONS = (cst.Call, cst.Await, cst.Yield, cst.AugAssign, cst.BinaryOperation, cst.Assert, cst.Del)
RAISING = (*OPERATIONS, cst.Import, cst.ImportFrom)

# Methods of a lock or condition itself that only fail for those who do not hold it.
OF_LOCK = frozenset({"acquire", "release", "locked", "notify", "notify_all", "notifyAll"})

# Calls between taking a lock and the `try` that people make on purpose; nothing they are given makes them fail.
HARMLESS = members(
    "len id isinstance hasattr type bool dict list set tuple deque object super print time.time time.monotonic "
    "time.perf_counter time.sleep sleep get_ident threading.get_ident os.getpid current_thread threading.current_thread"
)
HARMLESS_METHODS = members(
    "append add appendleft clear copy keys values items set is_set empty qsize full task_done debug info warning error "
    "exception log get notify notify_all notifyAll"
)

CONSTANTS = (cst.Name, cst.BaseNumber, cst.SimpleString)

# What is asked of plain values or only tells something, and the methods of containers that fail for none of them.
PLAIN = (
    *below("builtins", "len id isinstance hasattr type bool dict list set tuple"),
    *below("time", "time monotonic perf_counter"),
    *("threading.get_ident", "threading.current_thread", "os.getpid"),
)
CONTAINERS = members("dict list set collections.deque collections.OrderedDict")
PLAIN_METHODS = members("append add appendleft clear copy keys values items discard insert")
DIVIDING = (cst.FloorDivide, cst.FloorDivideAssign, cst.Divide, cst.DivideAssign)
COUNTING = (cst.Add, cst.Subtract, cst.Multiply, cst.AddAssign, cst.SubtractAssign, cst.MultiplyAssign)


def may_raise(source: Source, node: cst.CSTNode, lock: str) -> Iterator[cst.CSTNode]:
    """The parts of a statement or expression that may raise; not the operations on the lock itself."""
    if isinstance(node, FUNCTIONS):
        return
    for part in body_nodes(node):
        if isinstance(part, RAISING) or _is_lookup(source, part):
            found = lock_call(source, part)
            if found is None or found.text != lock or found.method not in OF_LOCK:
                yield part


def _is_lookup(source: Source, node: cst.CSTNode) -> bool:
    """`d[key]`: storing an item is no such thing."""
    return isinstance(node, cst.Subscript) and not isinstance(source.parent(node), (cst.AssignTarget, cst.Annotation))


def is_fallible(source: Source, node: cst.CSTNode) -> bool:
    """Whether somebody who reads the call would expect it to fail one day."""
    if isinstance(node, (cst.Await, cst.Yield)):
        return True
    if not isinstance(node, cst.Call):
        return False
    path = path_of(node.func)
    return not (path in HARMLESS or path.rpartition(".")[2] in HARMLESS_METHODS or _is_question(source, node))


def is_plain(source: Source, node: cst.CSTNode) -> bool:
    """Whether it fails for a thread at most in theory: waiting, counting, copying, asking what is known to be there."""
    if isinstance(node, (cst.AugAssign, cst.BinaryOperation)):
        divides = isinstance(node.operator, DIVIDING) and isinstance(_right(node), cst.Integer)
        return divides or isinstance(node.operator, COUNTING)
    if isinstance(node, cst.Subscript):
        return _is_walked(source, node)
    return isinstance(node, cst.Call) and (_waits(source, node) or _is_plain_call(source, node))


def _right(node: cst.AugAssign | cst.BinaryOperation) -> cst.BaseExpression:
    return node.value if isinstance(node, cst.AugAssign) else node.right


def _waits(source: Source, call: cst.Call) -> bool:
    """`condition.wait()` of threads: only Ctrl-C, which comes to the main thread alone, ends it otherwise."""
    found = lock_call(source, call)
    return found is not None and found.method == "wait" and all(one.startswith("threading.") for one in found.types)


def _is_plain_call(source: Source, call: cst.Call) -> bool:
    if isinstance(call.func, cst.Attribute) and call.func.attr.value in PLAIN_METHODS:
        types = source.types(call.func.value)
        return bool(types) and all(one.removeprefix("builtins.") in CONTAINERS for one in types)
    return source.calls(call, *PLAIN)


def _is_walked(source: Source, node: cst.Subscript) -> bool:
    """`counts[name]` inside `for name in counts:`."""
    index = node.slice[0].slice if len(node.slice) == 1 else None
    key = path_of(index.value) if isinstance(index, cst.Index) else ""
    loops = (outer for outer in source.ancestors(node) if isinstance(outer, cst.For))
    return any(path_of(one.target) == key and path_of(one.iter) == path_of(node.value) for one in loops if key)


def _is_question(source: Source, call: cst.Call) -> bool:
    """Whether it asks what callers may hand in, and by default is a constant: `def serve(ready=lambda: True)`."""
    function = source.function_node(call)
    if call.args or not isinstance(call.func, cst.Name) or not isinstance(function, cst.FunctionDef):
        return False
    given = (*function.params.params, *function.params.kwonly_params)
    defaults = (param.default for param in given if param.name.value == call.func.value)
    return any(isinstance(one, cst.Lambda) and isinstance(one.body, CONSTANTS) for one in defaults)
