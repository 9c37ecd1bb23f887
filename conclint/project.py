"""A project's files as one program, one of them as it reads in an editor."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from conclint.discovery import discover
from conclint.engine import Unit
from conclint.globs import Globs
from conclint.settings import Config
from conclint.stamps import PYTHON


def belongs(path: str, project: Path) -> bool:
    """Whether the file at an absolute path is one of the project's, or would be, once it is saved."""
    return path.endswith(PYTHON) and path.startswith(os.path.join(project, ""))


def project_units(config: Config, project: Path, newer: Unit | None = None) -> list[Unit]:
    """Every file of the project, with `newer` in the place of the one that it is a newer text of."""
    found = discover([shown(str(project))], Globs(config.exclude), project)
    units = {os.path.abspath(path): Unit(path) for path in found.files}
    if newer is not None:
        units[os.path.abspath(newer.file or newer.path)] = newer
    return list(units.values())


def around(config: Config, one: Unit) -> list[Unit]:
    """The file itself, and as its context the project that it belongs to."""
    project = config.project
    if project is None or not belongs(os.path.abspath(one.file or one.path), project):
        return [one]
    units = project_units(config, project, one)
    return [unit if unit is one else replace(unit, context=True) for unit in units]


def shown(path: str) -> str:
    """As `conclint check` would name it here, so that both find what the other has cached."""
    try:
        return os.path.relpath(path).replace(os.sep, "/")
    except ValueError:  # on another drive
        return path
