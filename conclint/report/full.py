"""A finding as one would explain it: the line, the notes with their lines, what mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from conclint.model import Safety
from conclint.report import counted, printable
from conclint.report.colours import Paint
from conclint.report.snippet import snippet
from conclint.report.text import heading

if TYPE_CHECKING:
    from conclint.model import Diagnostic, Fix, Note, Place
    from conclint.report import Material

    Colour = Callable[[str], str]


def lines(material: Material) -> Iterator[str]:
    paint = Paint(material.colour)
    for diagnostic in material.result.diagnostics:
        yield from _one(diagnostic, material, paint)
        yield ""
    yield from _summary(material)


def _one(diagnostic: Diagnostic, material: Material, paint: Paint) -> Iterator[str]:
    notes = diagnostic.finding.notes
    margin = len(str(max(place.span.line for place in [diagnostic.finding.place, *(note.place for note in notes)])))
    yield heading(diagnostic, paint)
    yield from _code(diagnostic.finding.place, material, margin, paint, paint.red)
    for note in notes:
        yield _note(note, paint)
        yield from _code(note.place, material, margin, paint, paint.blue)
    if diagnostic.finding.fix:
        yield _mend(diagnostic.finding.fix, paint)


def _code(place: Place, material: Material, margin: int, paint: Paint, colour: Colour) -> Iterator[str]:
    source = material.lines(place.path)
    if not 1 <= place.span.line <= len(source):
        return
    code, under = snippet(source[place.span.line - 1], place.span)
    bar = paint.faint("|")
    yield f"{paint.faint(str(place.span.line).rjust(margin + 2))} {bar} {code}".rstrip()
    yield f"{' ' * (margin + 2)} {bar} {colour(under)}"


def _note(note: Note, paint: Paint) -> str:
    span = note.place.span
    return f"  {paint.blue('note:')} {printable(note.place.path)}:{span.line}:{span.column}: {printable(note.message)}"


def _mend(fix: Fix, paint: Paint) -> str:
    option = "--fix" if fix.safety is Safety.SAFE else "--fix --unsafe-fixes"
    return f"  {paint.green('fix:')} {printable(fix.title)} ({option})"


def _summary(material: Material) -> Iterator[str]:
    found = material.result.diagnostics
    if not found:
        return
    fixes = [diagnostic.finding.fix for diagnostic in found if diagnostic.finding.fix]
    safe = sum(fix.safety is Safety.SAFE for fix in fixes)
    files = len({diagnostic.path for diagnostic in found})
    yield f"{counted(len(found), 'finding')} in {counted(files, 'file')} of {material.result.files}."
    ways = [f"{safe} with --fix"] if safe else []
    if len(fixes) > safe:
        ways.append(f"{len(fixes) - safe} {'more ' if safe else ''}with --fix --unsafe-fixes")
    if ways:
        yield f"Can be mended: {', '.join(ways)}."
