"""Classes of threads and processes whose `run` never comes to the target that they may be given."""

from __future__ import annotations

from conclint.program.calls import Calls, Site
from conclint.program.values import Sort


def is_deaf(calls: Calls, site: Site) -> bool:
    """Whether the call makes one of a class of the program that overrides `run`, and takes a target in vain."""
    for value in calls.meaning(site).values:
        run = calls.method(value.name, "run") if value.sort is Sort.CLASS else ""
        init = calls.method(value.name, "__init__") if run else ""
        named = any(keyword == "target" for keyword, _ in site.call.keywords)
        if run and (not init or (named and _leaves_to_base(calls, init))):
            _, function = calls.function(run)
            used = {call.func for call in function.calls} | {path for path, _, _ in function.touches}
            return not any(path.endswith((".run", "_target")) for path in used)
    return False


def _leaves_to_base(calls: Calls, init: str) -> bool:
    """Whether a constructor leaves it to that of its base what to do with a target."""
    _, function = calls.function(init)
    rest = next((param.name for param in function.params if param.kind == "**"), "")
    used = {call.func for call in function.calls} | {path for path, _, _ in function.touches}
    looked_into = any(path.startswith((f"{rest}.", f"{rest}[")) for path in used)
    return bool(rest) and not looked_into and not any(param.name == "target" for param in function.params)
