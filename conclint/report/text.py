"""One line per finding, as flake8 writes it: `path:row:column: CODE message`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.report import printable
from conclint.report.colours import Paint

if TYPE_CHECKING:
    from conclint.model import Diagnostic
    from conclint.report import Material


def lines(material: Material) -> Iterator[str]:
    paint = Paint(material.colour)
    return (heading(diagnostic, paint) for diagnostic in material.result.diagnostics)


def heading(diagnostic: Diagnostic, paint: Paint) -> str:
    span, colon = diagnostic.span, paint.faint(":")
    place = colon.join((paint.bold(printable(diagnostic.path)), str(span.line), str(span.column)))
    return f"{place}{colon} {paint.red(diagnostic.code)} {printable(diagnostic.finding.message)}"
