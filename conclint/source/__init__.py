"""One file looked at closely, through libcst, which is loaded only when some file deserves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conclint.model import Finding
    from conclint.program.observations import Inspection
    from conclint.program.scene import Scene
    from conclint.rules.rule import Rule


def inspect(path: str, data: bytes, scene: Scene, rules: Sequence[Rule]) -> Inspection:
    """Looks closely at the regions that the scene names.  Never raises: what goes wrong is a failure of a rule."""
    from conclint.source.inspection import inspect as closely

    return closely(path, data, scene, rules)


def mend(path: str, data: bytes, scene: Scene, rule: Rule, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The same findings, with fixes where the rule knows one."""
    from conclint.source.inspection import mend as mended

    return mended(path, data, scene, rule, findings)
