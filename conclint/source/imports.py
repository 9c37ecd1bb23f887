"""The imports at the top level of a file, and the edit that adds one where it belongs."""

from __future__ import annotations

import io
import sys
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from conclint.model import Edit, Span

if TYPE_CHECKING:
    from conclint.source.source import Source

SKIPPED = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING})

DEFINING = ("def", "class", "async", "@")


class Import(NamedTuple):
    """How a name is spelled in the file, and the edits (none, if it is imported already) that make it so."""

    spelled: str
    edits: tuple[Edit, ...]


class Line(NamedTuple):
    """One statement at the top level, without comments: its words and the lines that it fills."""

    words: tuple[str, ...]
    first: int
    last: int

    @property
    def module(self) -> str:
        """The module that the statement imports (from); "" when it imports none or several."""
        if self.words[0] == "from" and "import" in self.words:
            return "".join(self.words[1 : self.words.index("import")])
        if self.words[0] == "import" and "," not in self.words:
            end = self.words.index("as") if "as" in self.words else len(self.words)
            return "".join(self.words[1:end])
        return ""

    @property
    def imports(self) -> bool:
        return self.words[0] in ("import", "from")

    @property
    def sort_key(self) -> tuple[bool, str]:
        """Plain imports first, as import sorters do."""
        return self.words[0] == "from", self.module.lower()


def imported(source: Source, module: str, name: str = "") -> Import | None:
    """How `name` of a standard library `module` (or the module itself) is spelled here, imported if need be.

    None where the name would mean something else in this file, or the file cannot be read as text.
    """
    try:
        lines = source.logical_lines
    except (tokenize.TokenError, SyntaxError):
        return None
    known = dict(_bindings(lines))
    for bound, meaning in known.items():
        if name and meaning == f"{module}.{name}":
            return Import(bound, ())
    for bound, meaning in known.items():
        if meaning == module:
            return Import(f"{bound}.{name}" if name else bound, ())
    new = name or module.partition(".")[0]
    if known.get(new, "") not in ("", new) or _defines(lines, new):
        return None  # the name is taken
    edit = (_joined(source, lines, module, name) if name else None) or _added(source, lines, module, name)
    return Import(name or module, (edit,))


def top_level(lines: Sequence[str]) -> Iterator[Line]:
    """The logical lines of the module's own body."""
    words: list[str] = []
    first = last = 0
    fresh, inner = True, False
    for token in tokenize.generate_tokens(io.StringIO("\n".join([*lines, ""])).readline):
        if token.type in SKIPPED:
            continue
        if token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            if words:
                yield Line(tuple(words), first, last)
            words, fresh = [], True
            continue
        inner = token.start[1] > 0 if fresh else inner
        first = token.start[0] if fresh else first
        last, fresh = token.end[0], False
        if not inner:
            words.append('"' if token.type == tokenize.STRING else token.string)


def _bindings(lines: Iterable[Line]) -> Iterator[tuple[str, str]]:
    """Each name that an import binds, as it is written (`a.b` for a plain `import a.b`), and what it means."""
    for line in lines:
        if line.words[0] == "import":
            for words in _parts(line.words[1:]):
                target = "".join(words[: words.index("as")] if "as" in words else words)
                yield (words[-1] if "as" in words else target), target
        elif line.words[0] == "from" and "import" in line.words:
            names = [word for word in line.words[line.words.index("import") + 1 :] if word not in "()"]
            for words in _parts(names):
                yield words[-1], f"{line.module}.{words[0]}"


def _parts(words: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for word in (*words, ","):
        if word != ",":
            part.append(word)
        elif part:
            yield part
            part = []


def _defines(lines: Iterable[Line], name: str) -> bool:
    """Whether the module itself gives the name another meaning."""
    return any(
        name in line.words[1:3]
        if line.words[0] in DEFINING
        else line.words[0] == name and line.words[1:2] in (("=",), (":",))
        for line in lines
    )


def _joined(source: Source, lines: Iterable[Line], module: str, name: str) -> Edit | None:
    """`from module import a` becomes `from module import a, name`; None where it has brackets or a comment."""
    for line in lines:
        if line.words[0] == "from" and line.module == module and line.first == line.last and "(" not in line.words:
            text = source.text.lines[line.first - 1]
            before, _, names = text.partition(" import ")
            if names and "#" not in text and "*" not in text and ";" not in text:
                wanted = ", ".join(sorted([*(one.strip() for one in names.split(",")), name]))
                start = len(before) + len(" import ") + 1
                return Edit(Span(line.first, start, line.first, len(text) + 1), wanted)
    return None


def _added(source: Source, lines: Sequence[Line], module: str, name: str) -> Edit:
    """A line of its own: among its like where there are some, else first or last in the block of imports."""
    new = f"from {module} import {name}" if name else f"import {module}"
    words = tuple(new.split())
    key = Line(words, 0, 0).sort_key
    head = list(_head(lines))
    block = [line for line in head if line.imports and line.module != "__future__"]
    standard = [line for line in block if line.module.partition(".")[0] in sys.stdlib_module_names]
    before = [line for line in standard if line.sort_key <= key]
    if before:
        return _insertion(before[-1].last + 1, f"{new}\n")
    if standard:
        return _insertion(standard[0].first, f"{new}\n")
    if block:
        return _insertion(block[0].first, f"{new}\n\n")
    if head:
        follows = source.text.lines[head[-1].last :]
        gap = "" if follows and not follows[0].strip() else "\n"
        return _insertion(head[-1].last + 1, f"\n{new}\n{gap}")
    start = lines[0].first if lines else len(source.text.lines) + 1
    gap = "\n\n" if lines and lines[0].words[0] in DEFINING else "\n"
    return _insertion(start, f"{new}\n{gap}")


def _head(lines: Iterable[Line]) -> Iterator[Line]:
    """The docstring and the imports with which the file begins."""
    for number, line in enumerate(lines):
        if not line.imports and not (number == 0 and set(line.words) == {'"'}):
            return
        yield line


def _insertion(line: int, text: str) -> Edit:
    return Edit(Span(line, 1, line, 1), text)
