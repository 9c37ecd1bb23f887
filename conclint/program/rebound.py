"""One variable for one thing after the other: `with ThreadPoolExecutor() as pool:`, later `with Pool() as pool:`."""

from __future__ import annotations

from conclint.program.calls import Calls, Site
from conclint.program.values import Value


def latest(calls: Calls, site: Site) -> tuple[Value, ...]:
    """What is called; where the variable is bound several times in the function, by what was made for it last."""
    values = calls.meaning(site).values
    owner, _, method = site.call.func.rpartition(".")
    if len(values) < 2 or "." in owner:
        return values
    made = [one for one in site.function.calls if owner in one.goes and one.line <= site.call.line]
    if len(made) < 2:
        return values
    last = max(made, key=lambda one: (one.line, one.column))
    found = calls.names.meaning(site.file, site.function, f"{last.func}().{method}").values
    return found if found and {*found} < {*values} else values
