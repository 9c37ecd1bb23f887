"""What authors declare of threads: in comments, which the syntax tree does not have, and in annotations.

`# guarded by: self._lock`, `Annotated[T, GuardedBy("_lock")]`, `# conclint: thread-safe` and its like.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator

from conclint.index.facts import ClassFact, DeclarationFact, FunctionFact
from conclint.index.paths import path_of
from conclint.text import Text

# What a file must contain that declares anything.
MARKS = (b"guarded", b"conclint:", b"GuardedBy")

# What a docstring must contain that promises anything.
PROMISES = (b"hread-safe", b"hread safe", b"hreadsafe")
PROMISED = re.compile(r"\bthread[- ]?safe\b", re.IGNORECASE)
# "not thread-safe", "needs a lock to be thread-safe", "thread-safe as long as", "so it is not"
HEDGED = re.compile(
    r"\b(?:not|n't|never|non|isn't|aren't|unless|if|when|while|as long as|only|except|but|mostly|assum\w+|requir\w+)\b",
    re.IGNORECASE,
)

GUARDED = re.compile(r"#\s*guarded[ -]by:\s*`?(?P<lock>[A-Za-z_][\w.]*)`?", re.IGNORECASE)
DIRECTIVE = re.compile(r"#\s*conclint:\s*(?P<name>[\w-]*)\s*(?:--\s*(?P<reason>.*\S))?")

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def declarations(
    data: bytes, text: Text, tree: ast.Module, functions: Iterable[FunctionFact], classes: Iterable[ClassFact]
) -> tuple[DeclarationFact, ...]:
    """Everything that the file declares, in the order of its lines."""
    marked = any(mark in data for mark in MARKS)
    if not marked and not any(word in data for word in PROMISES):
        return ()
    names = {one.line: one.qualname for one in functions if one.qualname} | {one.line: one.qualname for one in classes}
    reader = _Reader(tree, names, text)
    found = [*reader.promised()]
    if marked:
        found += [*reader.annotated(), *(one for comment in _comments(text) for one in reader.said(*comment))]
    return tuple(sorted(found, key=lambda one: (one.line, one.column)))


def _comments(text: Text) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of each comment."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.start[1] + 1, token.string
    except (tokenize.TokenError, SyntaxError):
        return  # what `ast` has read may still puzzle an older tokenizer


class _Reader:
    """Finds what each declaration is about."""

    def __init__(self, tree: ast.Module, names: dict[int, str], text: Text) -> None:
        self._names = names
        self._lines = text.lines
        self._statements = list(_statements(tree, ()))

    def said(self, line: int, column: int, comment: str) -> Iterator[DeclarationFact]:
        for match in GUARDED.finditer(comment):
            yield self._about("guarded-by", match["lock"], line, column)
        for match in DIRECTIVE.finditer(comment):
            yield self._about(match["name"], match["reason"] or "", line, column)

    def promised(self) -> Iterator[DeclarationFact]:
        """Classes whose docstring says at its beginning that they are thread-safe, without an if or but."""
        for node, _ in self._statements:
            said = ast.get_docstring(node) if isinstance(node, ast.ClassDef) else None
            for sentence in re.split(r"(?<=\.)\s", (said or "").partition("\n\n")[0]):
                if PROMISED.search(sentence) and not HEDGED.search(sentence):
                    name, last = self._name(node), node.end_lineno or node.lineno
                    yield DeclarationFact(
                        "says-safe", "", node.lineno, node.col_offset + 1, "definition", name, (), node.lineno, last
                    )
                    break

    def annotated(self) -> Iterator[DeclarationFact]:
        for node, _ in self._statements:
            for lock in _guards(node.annotation) if isinstance(node, ast.AnnAssign) else ():
                yield self._about("guarded-by", lock, node.lineno, node.col_offset + 1)

    def _about(self, kind: str, said: str, line: int, column: int) -> DeclarationFact:
        found = self._statement(line)
        if found is None:
            return DeclarationFact(kind, said, line, column, "", "", (), line, line)
        node, around = found
        if isinstance(node, DEFINITIONS):
            last = node.end_lineno or node.lineno
            return DeclarationFact(kind, said, line, column, "definition", self._name(node), (), _first(node), last)
        scope = self._name(around[-1]) if around else ""
        within = "body" if around and isinstance(around[-1], ast.ClassDef) else "line"
        end = _head_end(node)
        return DeclarationFact(kind, said, line, column, within, scope, _targets(node), node.lineno, end)

    def _name(self, node: ast.stmt) -> str:
        return self._names.get(node.lineno, "")

    def _statement(self, line: int) -> tuple[ast.stmt, tuple[ast.stmt, ...]] | None:
        """The statement on the line; for a comment that stands alone, the next one."""
        alone = self._lines[line - 1].lstrip().startswith("#")
        if not alone:
            found = [one for one in self._statements if _first(one[0]) <= line <= _head_end(one[0])]
            return found[-1] if found else None
        later = [one for one in self._statements if _first(one[0]) > line]
        return min(later, key=lambda one: _first(one[0])) if later else None


def _statements(node: ast.AST, around: tuple[ast.stmt, ...]) -> Iterator[tuple[ast.stmt, tuple[ast.stmt, ...]]]:
    """Every statement with the functions and classes around it, outermost first."""
    for child in ast.iter_child_nodes(node):
        inner = around
        if isinstance(child, ast.stmt):
            yield child, around
            inner = (*around, child) if isinstance(child, DEFINITIONS) else around
        if isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield from _statements(child, inner)


def _first(node: ast.stmt) -> int:
    """The first line of a statement, its decorators included."""
    decorators = node.decorator_list if isinstance(node, DEFINITIONS) else []
    return min([node.lineno, *(one.lineno for one in decorators)])


def _head_end(node: ast.stmt) -> int:
    """The last line that is the statement's own: of a compound one, the line before its body."""
    body = _body(node)
    return max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno


def _body(node: ast.stmt) -> list[ast.stmt]:
    body: list[ast.stmt] = getattr(node, "body", [])
    return body


def _targets(node: ast.stmt) -> tuple[str, ...]:
    if isinstance(node, ast.Assign):
        return tuple(filter(None, map(path_of, node.targets)))
    if isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        return tuple(filter(None, [path_of(node.target)]))
    return ()


def _guards(annotation: ast.expr) -> Iterator[str]:
    """The locks that `Annotated[T, GuardedBy("lock")]` names."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Call) and path_of(node.func).rpartition(".")[2] == "GuardedBy" and node.args:
            value = node.args[0]
            yield value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else path_of(value)
