"""Every rule's examples are true: the bad ones alarm on their marks and mend to what is shown, the good are silent."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import pytest

import conclint.rules
from conclint.rules import all_rules, rule_docs
from conclint.rules.rule import Bad, Good, Rule
from conclint.settings import Config
from tests.marks import difference, read_marks
from tests.programs import CONFIG, alarms_of, mended

PATH = "example.py"
ALL_RULES = all_rules()


def cases(kind, *, fixed=False):
    """Each example of that kind, under a name like `CON101-2`."""
    return [
        pytest.param(rule, example, id=f"{rule.code}-{number}")
        for rule in ALL_RULES
        for number, example in enumerate(
            (one for one in rule.examples if isinstance(one, kind) and (not fixed or one.fixed is not None)), start=1
        )
    ]


def text_of(code: str) -> str:
    return dedent(code).strip("\n") + "\n"


def config_of(example: Bad | Good) -> Config:
    return replace(CONFIG, free_threaded=example.free_threaded)


def check_against_marks(rule: Rule, text: str, config: Config) -> str:
    raised = alarms_of({PATH: text}, rule.code, config)
    return difference(read_marks({PATH: text}).only(rule.code), raised, raised)


@pytest.mark.parametrize(("rule", "example"), cases(Bad))
def test_bad_example(rule, example):
    text = text_of(example.code)
    assert read_marks({PATH: text}).only(rule.code).expected, "a bad example marks its alarm"
    assert check_against_marks(rule, text, config_of(example)) == ""


@pytest.mark.parametrize(("rule", "example"), cases(Bad))
def test_what_free_threading_breaks_is_not_said_without(rule, example):
    if example.free_threaded:
        assert not alarms_of({PATH: text_of(example.code)}, rule.code)


@pytest.mark.parametrize(("rule", "example"), cases(Good))
def test_good_example(rule, example):
    text = text_of(example.code)
    assert not read_marks({PATH: text}).expected, "a good example expects nothing"
    assert check_against_marks(rule, text, config_of(example)) == ""


@pytest.mark.parametrize(("rule", "example"), cases(Bad, fixed=True))
def test_fix(rule, example):
    config = config_of(example)
    after = mended({PATH: text_of(example.code)}, rule.code, config)[PATH]
    assert after == text_of(example.fixed)
    ast.parse(after)
    assert mended({PATH: after}, rule.code, config)[PATH] == after, "mending again changes nothing"


@pytest.mark.parametrize("example", [each for rule in ALL_RULES for each in rule.examples])
def test_example_is_python(example):
    for code in (example.code, getattr(example, "fixed", None)):
        if code is not None:
            ast.parse(text_of(code))


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.code) for rule in ALL_RULES])
def test_rule_is_well_formed(rule):
    assert re.fullmatch(r"CON\d{3}", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.name)
    first, *rest = rule_docs(rule).strip().splitlines()
    assert first.endswith(".")
    assert any(line.strip() for line in rest), "the page says why, and when the same code is fine"
    if rule.check or rule.conclude:
        assert any(isinstance(one, Bad) for one in rule.examples)
        assert any(isinstance(one, Good) for one in rule.examples)


def test_rules_are_told_apart():
    codes = [rule.code for rule in ALL_RULES]
    names = [rule.name for rule in ALL_RULES]
    assert codes == sorted(set(codes))
    assert len(names) == len(set(names))


def test_one_rule_one_file():
    """The file is named as the rule is named."""
    folder = Path(conclint.rules.__file__).parent
    for path in sorted(folder.glob("*/*.py")):
        module = import_module(".".join(("conclint.rules", path.parent.name, path.stem)))
        rule = getattr(module, "RULE", None)
        assert rule is None or rule.name == path.stem.replace("_", "-")
