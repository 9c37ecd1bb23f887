"""The start method is chosen for the whole program here, and a second choice raises.

`set_start_method` may be called once per program: `RuntimeError: context has already been set`.  At the top level of
a module it is called by every child that is spawned and imports the module again, and by whoever imports the module
for something else, who may have chosen already, or wants to.

Call it below `if __name__ == "__main__":`, or take a context of your own, which concerns nobody else:
`ctx = multiprocessing.get_context("spawn")`, then `ctx.Process`, `ctx.Pool`, `ctx.Queue`.

See https://docs.python.org/3/library/multiprocessing.html#multiprocessing.set_start_method.

Not reported: calls in functions, `fork` in a script (nobody imports it again), calls that are prepared for the error or
ask
first, `force=True` outside of a package's `__init__.py`, and tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.model import Finding, Note
from conclint.program.triggers import calls
from conclint.rules.rule import Bad, Good, Rule

if TYPE_CHECKING:
    from conclint.source.source import Source

SETTER = "multiprocessing.set_start_method"


def check(source: Source) -> Iterator[Finding]:
    from conclint.source.testcode import in_test

    found = [call for call in source.all(cst.Call) if source.calls(call, SETTER) and not in_test(source, call)]
    package = source.path.endswith("__init__.py")
    for call in found:
        careful = _forced(source, call) or source.nearest(call, cst.Try) is not None or _asks(source, call)
        if _at_import(source, call):
            if package or not (careful or _method(source, call) == "fork"):
                yield Finding(
                    source.place(call),
                    "whoever imports this module, each spawned child too, sets the start method again, which raises; "
                    'do it below `if __name__ == "__main__":`, or use a context of your own from `get_context`',
                )
        elif not careful and (first := _earlier(source, call, found)) is not None:
            yield Finding(
                source.place(call),
                "the start method is set already, so this raises a RuntimeError; set it once, "
                "or use contexts from `get_context`",
                notes=(Note(source.place(first), "it is set here"),),
            )


def _asks(source: Source, call: cst.Call) -> bool:
    """`if get_start_method(allow_none=True) is None:`."""
    tests = (outer.test for outer in source.ancestors(call) if isinstance(outer, cst.If))
    return any("get_start_method" in source.code(test) for test in tests)


def _at_import(source: Source, call: cst.Call) -> bool:
    """Whether it is at the top level of a module that others can import."""
    if source.function_node(call) is not None or source.path.endswith("__main__.py"):
        return False
    tests = (source.code(outer.test) for outer in source.ancestors(call) if isinstance(outer, cst.If))
    return not any("__name__" in test or "current_process" in test or "parent_process" in test for test in tests)


def _forced(source: Source, call: cst.Call) -> bool:
    return any(arg.star for arg in call.args) or source.argument(call, "force", 1) is not None


def _method(source: Source, call: cst.Call) -> str:
    arg = source.argument(call, "method", 0)
    return str(arg.value.evaluated_value) if arg is not None and isinstance(arg.value, cst.SimpleString) else ""


def _earlier(source: Source, call: cst.Call, others: list[cst.Call]) -> cst.Call | None:
    """A call that surely came before: in the same block, or the round before in a loop."""
    if isinstance(source.loop(call), cst.For):
        return call
    block = source.parent(source.statement(call))
    for other in others:
        same = other is not call and source.parent(source.statement(other)) is block
        if same and source.sequence(other) < source.sequence(call):
            return other
    return None


RULE = Rule(
    code="CON605",
    name="start-method-set-at-import",
    triggers=calls(SETTER),
    check=check,
    examples=(
        Bad("""
            import multiprocessing as mp

            mp.set_start_method("spawn")  # expect: CON605

            def squares(xs):
                with mp.Pool(2) as pool:
                    return pool.map(abs, xs)
            """),
        Bad("""
            from multiprocessing import set_start_method
            import sys

            if sys.platform == "darwin":
                set_start_method("forkserver")  # expect: CON605
            """),
        Bad("""
            import multiprocessing

            def compare(run):
                for method in ("fork", "spawn"):
                    multiprocessing.set_start_method(method)  # expect: CON605
                    run()
            """),
        Good("""
            import multiprocessing as mp

            def main():
                with mp.Pool(2) as pool:
                    print(pool.map(abs, [1, -2]))

            if __name__ == "__main__":
                mp.set_start_method("spawn")
                main()
            """),
        Good("""
            import multiprocessing as mp

            CTX = mp.get_context("spawn")

            def squares(xs):
                with CTX.Pool(2) as pool:
                    return pool.map(abs, xs)
            """),
        Good("""
            import multiprocessing as mp

            try:
                mp.set_start_method("spawn")
            except RuntimeError:
                pass

            def main(method):
                mp.set_start_method(method)
            """),
        Good("""
            import multiprocessing as mp

            def compare(run):
                for method in ("fork", "spawn"):
                    mp.set_start_method(method, force=True)
                    run()
            """),
    ),
)
