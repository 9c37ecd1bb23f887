"""The first fold, as far as it has to be done: most changes of a file change nothing that other files can see.

Two trees whose files have the same facts are the same program, with the same scenes.  So a file in which only an
expression, a string or a comment is new is inspected again, and nothing else is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from conclint.engine.ledger import Ledger, told_of
from conclint.index.facts import Header
from conclint.model import Place
from conclint.program import Options, Program, link
from conclint.program.scene import Scene
from conclint.program.triggers import Triggers
from conclint.serial import Codec


@dataclass(frozen=True)
class Summary:
    """What a run asks the program and the rules for, even if nothing has to be concluded anew."""

    rules: tuple[tuple[str, str], ...]  # code and name of those that run
    scenes: tuple[tuple[str, str], ...]  # path, digest
    broken: tuple[tuple[str, int, int, str], ...]  # path, line, column, what is wrong
    hidden: tuple[tuple[str, int, int], ...]  # path, first and last line on which authors know of races


class Asked(NamedTuple):
    """What is asked of a tree: by whom, and what for."""

    selection: str  # the settings that select rules
    options: Options
    rules: Callable[[], Mapping[str, tuple[str, Triggers]]]  # by code, name and triggers; to load them takes time


class Linked:
    """One tree's program; linked when somebody asks for what is not remembered."""

    def __init__(self, blobs: Mapping[str, bytes], headers: Mapping[str, Header], asked: Asked, ledger: Ledger) -> None:
        self._blobs, self._headers, self._asked, self._ledger = blobs, headers, asked, ledger

    @cached_property
    def name(self) -> bytes:
        """The same for trees with the same facts, looked at with the same rules and settings."""
        if not self._ledger.kept:
            return b""
        options = self._asked.options
        settings = repr((options.free_threaded, options.target, options.roots, self._asked.selection))
        facts = (part for path, blob in self._blobs.items() for part in (path, hashlib.sha256(blob).digest()))
        return self._ledger.name("linked", settings, told_of(options.knowledge), *facts)

    @cached_property
    def program(self) -> Program:
        return link(self._blobs.items(), self._asked.options, self._headers)

    def close(self) -> None:
        """Lets go of the program."""
        if "program" in vars(self):
            self.program.close()
        vars(self).clear()

    @cached_property
    def summary(self) -> Summary:
        known = self._ledger.recall(self.name, Summary)
        if known is not None:
            return known
        made = Summary(
            tuple((code, name) for code, (name, _) in self._asked.rules().items()),
            tuple((path, _digest(data)) for path, data in self._encoded.items()),
            tuple((path, *error) for path, error in self.program.broken.items()),
            tuple(self.program.declared.known),
        )
        self._ledger.keep(self.name, Codec(Summary).dumps(made))
        return made

    def scenes(self, paths: Iterable[str]) -> dict[str, Scene]:
        """The scenes of those files: remembered, if the program is."""
        wanted = list(paths)
        if "_made" in vars(self):
            return {path: self._made[path] for path in wanted}
        digests = dict(self.summary.scenes)
        names = {path: self._scene_name(digests[path]) for path in wanted}
        known = self._ledger.read(names.values())
        try:
            return {path: Codec(Scene).loads(known[name]) for path, name in names.items()}
        except (KeyError, ValueError):  # dropped from the cache, or damaged
            return {path: self._made[path] for path in wanted}

    def scenes_for_locks(self, paths: Iterable[str]) -> dict[str, Scene]:
        """The scenes with what decides whether a class can be given a lock."""
        taken_apart = self.program.taken_apart
        return {path: replace(one, copied=taken_apart.of_file(path)) for path, one in self.scenes(paths).items()}

    def keep(self, path: str) -> None:
        """Remember the file's scene, if it is new."""
        if self._ledger.kept and "_made" in vars(self):
            data = self._encoded[path]
            self._ledger.keep(self._scene_name(_digest(data)), data)

    def hides(self, place: Place) -> bool:
        """Whether the author knows what happens on these lines."""
        return any(first <= place.span.line <= last for first, last in self._hidden.get(place.path, ()))

    def _scene_name(self, digest: str) -> bytes:
        return self._ledger.name("scene", digest)

    @cached_property
    def _made(self) -> dict[str, Scene]:
        return self.program.scenes({code: triggers for code, (_, triggers) in self._asked.rules().items()})

    @cached_property
    def _encoded(self) -> dict[str, bytes]:
        encode = Codec(Scene).dumps if self._ledger.kept else _nothing
        return {path: encode(scene) for path, scene in self._made.items()}

    @cached_property
    def _hidden(self) -> dict[str, list[tuple[int, int]]]:
        found: dict[str, list[tuple[int, int]]] = {}
        for path, first, last in self.summary.hidden:
            found.setdefault(path, []).append((first, last))
        return found


def _nothing(scene: Scene) -> bytes:
    return b""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
