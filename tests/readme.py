"""The parts of README that conclint itself can tell.  `python -m tests.readme` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from conclint.cli import commands
from conclint.pages import table

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SHOWN = "CON301"  # the finding that opens README


def parts() -> dict[str, str]:
    """What belongs between the markers, by their names."""
    return {"finding": f"```\n{finding()}\n```\n", "rules": "".join(f"{line}\n" for line in table())}


def finding() -> str:
    """That finding of the demo, as `full` shows it."""
    arguments = ["check", "--isolated", "--no-cache", "--output-format", "full", "fixtures/demo"]
    found = CliRunner().invoke(commands, arguments).stdout.split("\n\n")
    return next(each for each in found if f": {SHOWN} " in each)


def part(text: str, name: str) -> str:
    match = re.search(_between(name), text, re.S)
    assert match, f"README has no markers for {name}"
    return match.group(2)


def renewed(text: str) -> str:
    for name, new in parts().items():
        text = re.sub(_between(name), lambda match, new=new: match.group(1) + new + match.group(3), text, flags=re.S)
    return text


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Each fenced block: its language and its text."""
    fences = re.split(r"^```(.*)\n", text, flags=re.M)
    return zip(fences[1::4], fences[2::4], strict=True)


def _between(name: str) -> str:
    return rf"(<!-- {name} -->\n)(.*?)(<!-- /{name} -->)"


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")
