"""The second fold's material: the program, and what the close looks at its files observed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from conclint.knowledge.kinds import Setting
from conclint.program.linking import Program
from conclint.program.observations import Observations
from conclint.program.outputs import Mix, Outputs
from conclint.program.processwide import Doing, ProcessWide
from conclint.program.races import Race, Races


class Evidence:
    """What a rule concludes from: everything about every file."""

    def __init__(self, program: Program, observations: Mapping[str, Observations]) -> None:
        self.program = program
        self.observations = observations

    @cached_property
    def races(self) -> tuple[Race, ...]:
        """Accesses to shared state that can meet another one with no lock common to both."""
        return tuple(Races(self.program, self.observations).all())

    @cached_property
    def mixes(self) -> tuple[Mix, ...]:
        """Output that several workers write at once."""
        return tuple(Outputs(self.program, self.observations).mixing())

    @cached_property
    def _process_wide(self) -> ProcessWide:
        return ProcessWide(self.program, self.observations)

    def doings(self, *settings: Setting) -> tuple[Doing, ...]:
        """Changes of the settings that happen in threads, each once."""
        return tuple(self._process_wide.doings(*settings))
