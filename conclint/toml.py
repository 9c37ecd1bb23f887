"""Tables of a TOML file, read by someone who knows what should stand in them and says so when it does not."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


class ConfigError(Exception):
    """One line for the user: file, key, what was expected."""


@dataclass(frozen=True)
class Table:
    """The table at `key` of `file` (`key` empty: the whole file)."""

    file: str
    key: str
    values: Mapping[str, object]

    def path(self, key: str) -> str:
        part = key if re.fullmatch(r"[\w-]+", key) else f'"{key}"'
        return f"{self.key}.{part}" if self.key else part

    def error(self, key: str, problem: str) -> ConfigError:
        return ConfigError(f"{self.file}: {self.path(key)}: {problem}")

    def only(self, known: Collection[str]) -> None:
        """Refuses keys that nobody reads: a misspelt setting would otherwise be silently without effect."""
        for key in self.values:
            if key not in known:
                hint = near(key, known) or f"; expected one of {', '.join(known)}"
                raise self.error(key, f"unknown key{hint}")

    def table(self, key: str) -> Table | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(key, "a table")
        return Table(self.file, self.path(key), value)

    def tables(self, key: str) -> Iterator[tuple[str, Table]]:
        """The tables inside the table `key`, by name."""
        outer = self.table(key)
        for name in outer.values if outer else ():
            inner = outer.table(name) if outer else None
            if inner:
                yield name, inner

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key, ())
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(str(item) for item in value)
        raise self._wrong(key, "a list of strings")

    def text(self, key: str, *, among: Collection[str] = ()) -> str | None:
        value = self.values.get(key)
        if value is None or (isinstance(value, str) and (not among or value in among)):
            return value
        raise self._wrong(key, f"one of {', '.join(map(repr, among))}" if among else "a string")

    def flag(self, key: str) -> bool | None:
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self._wrong(key, "true or false")

    def count(self, key: str) -> int | None:
        value = self.values.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value
        raise self._wrong(key, "a number from 0")

    def _wrong(self, key: str, expected: str) -> ConfigError:
        return self.error(key, f"expected {expected}, found {_shown(self.values[key])}")


def near(word: str, known: Collection[str]) -> str:
    """`; did you mean …?` where one of `known` looks like `word`, else nothing."""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def read_toml(file: Path) -> Table:
    """The whole of `file`.  Raises ConfigError with file and line when it cannot be read."""
    shown = shown_path(file)
    try:
        return Table(shown, "", tomllib.loads(file.read_bytes().decode("utf-8-sig")))
    except tomllib.TOMLDecodeError as error:
        raise _broken(shown, str(error)) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{shown}: expected TOML in UTF-8") from None
    except RecursionError:
        raise ConfigError(f"{shown}: nested too deeply") from None
    except OSError as error:
        raise ConfigError(f"{shown}: cannot be read: {error.strerror}") from None


def shown_path(file: Path) -> str:
    """`file` as one would name it from here."""
    try:
        return file.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return file.as_posix()


def _broken(shown: str, error: str) -> ConfigError:
    at = _AT_LINE.search(error)
    line = f":{at.group(1)}" if at and at.group(1) else ""
    problem = error[: at.start()] if at else error
    where = "" if line or not at else " at the end of the file"
    return ConfigError(f"{shown}{line}: broken TOML: {problem[:1].lower()}{problem[1:]}{where}")


def _shown(value: object) -> str:
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
