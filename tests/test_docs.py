"""What README says is true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from conclint.cli import commands
from conclint.config import KEYS, KNOWLEDGE_KEYS, LOCK_KEYS, SPAWNER_KEYS, load
from conclint.knowledge import BUILTIN
from conclint.knowledge.kinds import Context
from conclint.pages import table
from conclint.rules import all_rules

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def between(name: str) -> str:
    match = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.S)
    assert match
    return match.group(1)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.S | re.M)


def test_the_table_of_rules():
    """`python -m conclint rule --table` prints what belongs there."""
    assert between("rules").splitlines() == list(table())


def test_the_first_thing_shown_is_what_the_command_shows(monkeypatch):
    monkeypatch.chdir(ROOT)
    shown = between("finding").strip().removeprefix("```\n").removesuffix("\n```")
    arguments = ["check", "--isolated", "--no-cache", "--output-format", "full", "fixtures/demo"]
    assert shown in CliRunner().invoke(commands, arguments).stdout
    assert "CON" in shown


def test_the_demo_shows_the_five_in_different_files(monkeypatch):
    monkeypatch.chdir(ROOT)
    output = CliRunner().invoke(commands, ["check", "--isolated", "--no-cache", "fixtures/demo"]).stdout
    found = {line.split()[1]: line.split(":")[0] for line in output.splitlines()}
    assert {"CON101", "CON103", "CON202", "CON301", "CON510"} <= found.keys()
    assert len(set(found.values())) == 5


def test_two_commands_and_the_second_needs_the_first():
    first, second = blocks("sh")
    assert first.startswith("python3 -m venv .venv && .venv/bin/pip install")
    assert second.rstrip().endswith("-m pytest -q")


def test_every_line_of_use_is_an_invocation_that_there_is():
    options = {
        name: {opt for each in command.params for opt in each.opts} for name, command in commands.commands.items()
    }
    for line in blocks("")[1].splitlines():
        _, command, *words = shlex.split(line, comments=True)
        assert {word for word in words if word.startswith("--")} <= options[command], line


def test_the_configuration_shown_is_accepted_and_complete(tmp_path):
    settings, knowledge = blocks("toml")
    (tmp_path / "pyproject.toml").write_text(settings + knowledge, encoding="utf-8")
    # Codes of rules to come are as good an illustration as any.
    codes = {rule.code for rule in all_rules()} | {"CON101", "CON105", "CON301", "CON324", "CON510"}
    load(tmp_path, codes, BUILTIN)
    for key in {*KEYS, *KNOWLEDGE_KEYS} - {"knowledge"}:
        assert re.search(rf"^({key} = |\[.*\b{key}\])", settings + knowledge, re.M), key
    for key in {*SPAWNER_KEYS, *LOCK_KEYS} - {"condition", "counting"}:
        assert f"{key} = " in knowledge, key


@pytest.mark.parametrize("context", [context.value for context in Context])
def test_the_contexts_named_are_those_that_there_are(context):
    assert f'`"{context}"`' in README


@pytest.mark.parametrize("name", ["LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", ".pre-commit-hooks.yaml"])
def test_what_a_reader_looks_for_is_there(name):
    assert (ROOT / name).stat().st_size > 0


def test_the_changelog_explains_its_kinds():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    for kind in ("new rule", "false alarm", "missed alarm", "fix", "speed"):
        assert f"**{kind}**" in text
