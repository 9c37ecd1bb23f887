"""The codes that there are.  Most runs never ask, so rules are imported only when someone names a code."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property


class Codes(Collection[str]):
    """Every rule's code, and that of files which no rule gets to see."""

    def __contains__(self, code: object) -> bool:
        return code in self._all

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _all(self) -> tuple[str, ...]:
        from conclint.rules import all_rules

        return tuple(sorted({"CON001", *(rule.code for rule in all_rules())}))
