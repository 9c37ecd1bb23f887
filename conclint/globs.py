"""Which paths a project's patterns mean: `*` and `?` stay within one name, `**` crosses folders, as in gitignore."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

_WILD = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_TOKEN = re.compile(r"\*\*/|\*\*|.", re.S)


class Globs:
    """Patterns over paths relative to a project, `/` between names.

    A pattern without a `/` means any file or folder of that name; one with it begins at the project's folder. What lies
    in a folder that a pattern means is meant too.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)

    def match(self, path: str) -> bool:
        """Whether `path` or a folder above it is meant."""
        return bool(self.patterns) and self._regex.fullmatch(path) is not None

    def apart_from(self, root: str) -> Globs:
        """The patterns that do not mean `root` already: who asks for an excluded folder by name wants it read."""
        return Globs(pattern for pattern in self.patterns if not Globs([pattern]).match(root))

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile("|".join(map(_translate, self.patterns)), re.S)


def _translate(pattern: str) -> str:
    body = pattern.replace("\\", "/").removesuffix("/")
    anchor = "" if "/" in body else "(?:.*/)?"
    tokens = _TOKEN.findall(body.removeprefix("./").removeprefix("/").removesuffix("/**"))
    return anchor + "".join(_WILD.get(token) or re.escape(token) for token in tokens) + "(?:/.*)?"
