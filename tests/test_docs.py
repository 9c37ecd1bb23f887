"""What README says is true."""

from __future__ import annotations

import re
import shlex

import pytest
from click.testing import CliRunner

from conclint.cli import commands
from conclint.config import KEYS, KNOWLEDGE_KEYS, LOCK_KEYS, SPAWNER_KEYS, load
from conclint.knowledge import BUILTIN
from conclint.knowledge.kinds import Context
from conclint.rules import all_rules
from tests.readme import ROOT, blocks, part, parts

README = (ROOT / "README.md").read_text("utf-8")


def written(language: str) -> list[str]:
    return [text for kind, text in blocks(README) if kind == language]


@pytest.mark.parametrize("name", ["finding", "rules"])
def test_what_conclint_can_tell_is_told_by_it(name, monkeypatch):
    """`python -m tests.readme` writes these parts."""
    monkeypatch.chdir(ROOT)
    assert part(README, name) == parts()[name]


def test_readme_opens_with_a_finding():
    assert "CON301" in README.splitlines()[4]


def test_the_demo_shows_the_five_in_different_files(monkeypatch):
    monkeypatch.chdir(ROOT)
    output = CliRunner().invoke(commands, ["check", "--isolated", "--no-cache", "fixtures/demo"]).stdout
    found = {line.split()[1]: line.split(":")[0] for line in output.splitlines()}
    assert {"CON101", "CON103", "CON202", "CON301", "CON510"} <= found.keys()
    assert len(set(found.values())) == 5


def test_two_commands_and_the_second_needs_the_first():
    first, second = written("sh")
    assert first.startswith("python3 -m venv .venv && .venv/bin/pip install")
    assert second.rstrip().endswith("-m pytest -q")


def test_every_line_of_use_is_an_invocation_that_there_is():
    options = {
        name: {opt for each in command.params for opt in each.opts} for name, command in commands.commands.items()
    }
    for line in written("")[1].splitlines():
        _, command, *words = shlex.split(line, comments=True)
        assert {word for word in words if word.startswith("--")} <= options[command], line


def test_the_configuration_shown_is_accepted_and_complete(tmp_path):
    settings, knowledge = written("toml")
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
