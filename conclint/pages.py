"""The documentation of rules: their own docstrings and examples, and the table of all."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from conclint.output import complain, say
from conclint.rules import all_rules, rule_docs
from conclint.rules.rule import Bad, Good, Rule
from conclint.toml import near

HEADER = ("| code | name | what it says | default | fix |", "|---|---|---|---|---|")


def explain(wanted: str | None) -> int:
    """Prints the page of one rule, or of all; 2 for a rule that there is not."""
    rules = all_rules()
    chosen = [rule for rule in rules if wanted is None or wanted.lower() in (rule.code.lower(), rule.name)]
    if not chosen:
        known = [word for rule in rules for word in (rule.code, rule.name)]
        complain([f"rule: no rule {wanted!r}{near(wanted or '', known) or '; `conclint rule --list` shows all'}"])
        return 2
    return show(_joined(map(page, chosen)))


def show(lines: Iterable[str]) -> int:
    say(lines)
    return 0


def page(rule: Rule) -> Iterator[str]:
    """The rule's page: heading, docstring, examples."""
    yield f"{rule.code} {rule.name}{'' if rule.default else ' (off by default)'}"
    yield ""
    yield from rule_docs(rule).strip().splitlines()
    for example in rule.examples:
        yield ""
        yield from _example(example)


def listing() -> Iterator[str]:
    """One line per rule."""
    for rule in all_rules():
        yield f"{rule.code} {rule.name}: {summary(rule)}"


def table() -> Iterator[str]:
    """The rules as a Markdown table."""
    yield from HEADER
    for rule in all_rules():
        default, fix = "yes" if rule.default else "no", "yes" if has_fix(rule) else ""
        yield f"| {rule.code} | {rule.name} | {summary(rule)} | {default} | {fix} |".replace("  |", " |")


def summary(rule: Rule) -> str:
    """The first sentence of the rule's documentation."""
    return rule_docs(rule).strip().partition("\n")[0]


def has_fix(rule: Rule) -> bool:
    """Whether the rule can mend something: it shows so in an example."""
    return any(isinstance(example, Bad) and example.fixed is not None for example in rule.examples)


def _example(example: Bad | Good) -> Iterator[str]:
    said = ", with `free-threaded = true`" if example.free_threaded else ""
    yield f"{'Not so' if isinstance(example, Bad) else 'Fine'}{said}:"
    yield ""
    yield from _code(example.code)
    if isinstance(example, Bad) and example.fixed is not None:
        yield from ("", "Mended:", "")
        yield from _code(example.fixed)


def _code(text: str) -> Iterator[str]:
    return (f"    {line}".rstrip() for line in textwrap.dedent(text).strip().splitlines())


def _joined(pages: Iterable[Iterable[str]]) -> Iterator[str]:
    for number, lines in enumerate(pages):
        if number:
            yield from ("", "")
        yield from lines
