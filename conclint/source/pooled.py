"""The fix of a fan-out: the same work given to an executor, whose results are looked at so that exceptions surface."""

from __future__ import annotations

import io
import textwrap
import tokenize
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.lives import PROCESS
from conclint.model import Edit, Fix, Span
from conclint.source.edits import indent_unit, lines_of
from conclint.source.fanned import Fan, fan_of
from conclint.source.imports import imported
from conclint.source.makers import Maker, functions
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source


class _Work(NamedTuple):
    """What is to be called, and its arguments, as text; `plain` is the argument where there is one, by position."""

    function: str
    arguments: str
    plain: str


class _Names(NamedTuple):
    pool: str
    futures: str
    future: str


def pooled(source: Source, made: Maker) -> Fix | None:
    """The edits that give the items to an executor; None where more than starting and joining goes on."""
    fan = fan_of(source, made)
    work = _work(source, made)
    names = _free_names(source, made)
    if fan is None or work is None or names is None:
        return None
    name = "ProcessPoolExecutor" if made.kind == PROCESS else "ThreadPoolExecutor"
    executor = imported(source, "concurrent.futures", name)
    if executor is None:
        return None  # the name means something else here
    header = f"with {executor.spelled}({_context(source, made)}) as {names.pool}:"
    edits = _edits(source, fan, header, _body(source, fan, work, names))
    return None if edits is None else Fix(f"give the items to a `{name}`", (*executor.edits, *edits))


def _work(source: Source, made: Maker) -> _Work | None:
    target, args, kwargs = made.given("target"), made.given("args"), made.given("kwargs")
    if target is None or made.own or made.collects:
        return None  # a subclass: which of its parts are the work is for the author to say
    if made.kind == PROCESS and not _can_be_sent(source, target.value):
        return None
    positional = _positional(source, args.value) if args is not None else []
    words = _words(source, kwargs.value) if kwargs is not None else []
    texts = [source.code(target.value), *(positional or []), *(words or [])]
    if positional is None or words is None or any("\n" in text for text in texts):
        return None
    plain = positional[0] if len(positional) == 1 and not words else ""
    return _Work(texts[0], ", ".join(texts), plain)


def _positional(source: Source, args: cst.BaseExpression) -> list[str] | None:
    if isinstance(args, (cst.Tuple, cst.List)):
        stars = ("*" if isinstance(one, cst.StarredElement) else "" for one in args.elements)
        return [star + source.code(one.value) for star, one in zip(stars, args.elements, strict=True)]
    return [f"*{source.code(args)}"] if path_of(args) else None


def _words(source: Source, kwargs: cst.BaseExpression) -> list[str] | None:
    if not isinstance(kwargs, cst.Dict):
        return [f"**{source.code(kwargs)}"] if path_of(kwargs) else None
    found: list[str] = []
    for element in kwargs.elements:
        if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
            return None
        found.append(f"{element.key.raw_value}={source.code(element.value)}")
    return found


def _can_be_sent(source: Source, target: cst.BaseExpression) -> bool:
    """Whether the function can be pickled: one of a module, not a closure and no object's method."""
    found = functions(source, target)
    return bool(found) and all("." not in one.rpartition(":")[2] and "$" not in one for one in found)


def _context(source: Source, made: Maker) -> str:
    """A pool's processes are started as the single ones were."""
    func = made.call.func
    if made.kind != PROCESS or not isinstance(func, cst.Attribute):
        return ""
    chosen = "multiprocessing.context.BaseContext" in source.types(func.value)
    return f"mp_context={source.code(func.value)}" if chosen else ""


def _free_names(source: Source, made: Maker) -> _Names | None:
    around = source.function_node(made.call) or source.module(made.call)
    taken = {part.value for part in below(around) if isinstance(part, cst.Name)}
    for pool in ("pool", "executor"):
        names = _Names(pool, "futures", "future")
        if not taken & {*names}:
            return names
    return None


# -- the new text


def _body(source: Source, fan: Fan, work: _Work, names: _Names) -> list[str]:
    """The lines below `with`, without their indentation."""
    comment = f"  {fan.comment}" if fan.comment else ""
    if fan.kept:
        return _loop(source, fan, work, names, comment)
    if work.plain and work.plain == fan.item and not fan.condition:
        return [f"list({names.pool}.map({work.function}, {fan.iterable})){comment}"]
    return [
        f"{names.futures} = [{names.pool}.submit({work.arguments}) {fan.clauses}]{comment}",
        *_results(source, fan, names),
    ]


def _loop(source: Source, fan: Fan, work: _Work, names: _Names, comment: str) -> list[str]:
    """The loop as it was, with `submit` where the thread was made."""
    unit = indent_unit(source, fan.first)
    lines = [f"{names.futures} = []", f"{fan.clauses}:"]
    for statement in fan.kept:
        if statement is fan.making:
            lines.append(f"{unit}{names.futures}.append({names.pool}.submit({work.arguments})){comment}")
        else:
            span = lines_of(source, statement, statement)
            text = textwrap.dedent("\n".join(source.text.lines[span.line - 1 : span.end_line]))
            lines += [unit + line if line else line for line in text.split("\n")]
    return [*lines, *_results(source, fan, names)]


def _results(source: Source, fan: Fan, names: _Names) -> list[str]:
    unit = indent_unit(source, fan.first)
    return [f"for {names.future} in {names.futures}:", f"{unit}{names.future}.result()"]


def _edits(source: Source, fan: Fan, header: str, body: Sequence[str]) -> tuple[Edit, ...] | None:
    """The old lines replaced; comments of lines that go are kept above the new ones."""
    comments: list[str] = []
    edits: list[Edit] = []
    begin = lines_of(source, fan.first, fan.first).line
    if fan.empty is not None:
        gone = lines_of(source, fan.empty, fan.empty)
        comments += _comments(source, gone)
        if gone.end_line + 1 == begin:
            begin = gone.line
        else:
            edits.append(Edit(Span(gone.line, 1, gone.end_line + 1, 1), ""))
    end = lines_of(source, fan.last, fan.last)
    comments += _comments(source, Span(lines_of(source, fan.first, fan.first).line, 1, end.end_line, 1))
    kept = "\n".join(body)
    comments = [comment for comment in comments if comment not in kept]
    indent, unit = source.indent(fan.first), indent_unit(source, fan.first)
    lines = [*(indent + one for one in (*comments, header)), *(indent + unit + one if one else one for one in body)]
    edits.append(Edit(Span(begin, 1, end.end_line, end.end_column), "\n".join(lines)))
    return tuple(edits)


def _comments(source: Source, span: Span) -> Iterator[str]:
    text = textwrap.dedent("\n".join([*source.text.lines[span.line - 1 : span.end_line], ""]))
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.string
    except (tokenize.TokenError, SyntaxError):
        return
