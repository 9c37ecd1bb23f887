"""Questions that lead to others: those that come round to themselves are cut, and what a cut left out is not kept."""

from __future__ import annotations

# A file, a function of it, and a path in it.
Key = tuple[str, str, str]

# Deeper chains of names are abandoned: nobody writes them, only cycles do.
DEEPEST = 40

NOWHERE = DEEPEST + 2


class Asked:
    """The questions that are being answered, each inside the one before."""

    def __init__(self) -> None:
        self._open: dict[Key, int] = {}  # with how deep each one stands
        self._cut = NOWHERE  # how deep the outermost question stands for whose answer some part was left out

    @property
    def whole(self) -> bool:
        """Whether nothing has been left out so far of what is being answered."""
        return self._cut == NOWHERE

    def begin(self, key: Key) -> bool:
        """Whether the question may be asked: it is not being answered already, and not too deep."""
        depth = len(self._open)
        if key in self._open or depth > DEEPEST:
            self._cut = min(self._cut, self._open.get(key, 0))
            return False
        self._open[key] = depth
        return True

    def end(self, key: Key) -> bool:
        """Whether the answer is whole: no part of it was left out because a question around it is still open."""
        depth = self._open.pop(key)
        if self._cut < depth:
            return False
        self._cut = NOWHERE
        return True
