"""The first fold: the facts of all files become one program that knows names, calls, and who runs where."""

from __future__ import annotations

from conclint.program.linking import Options, Program, islands, link

__all__ = ["Options", "Program", "islands", "link"]
