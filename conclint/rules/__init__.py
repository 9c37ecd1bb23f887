"""All rules, found by walking `rules/<family>/*.py` for a module-level `RULE`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from functools import lru_cache

from conclint.rules.rule import Rule


@lru_cache(maxsize=1)
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    found: list[Rule] = []
    for family in pkgutil.iter_modules(__path__, f"{__name__}."):
        if family.ispkg:
            package = importlib.import_module(family.name)
            for module in pkgutil.iter_modules(package.__path__, f"{family.name}."):
                rule = getattr(importlib.import_module(module.name), "RULE", None)
                if isinstance(rule, Rule):
                    found.append(rule)
    return tuple(sorted(found, key=lambda rule: rule.code))


def rule_docs(rule: Rule) -> str:
    """The rule's page: the docstring of its module."""
    for module in list(sys.modules.values()):
        if getattr(module, "RULE", None) is rule:
            return (module.__doc__ or "").strip()
    return ""
