"""Fixes are applied until quiet, all files seen as one program, with little rules of this test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import libcst as cst
import pytest

from conclint import fixer, rules
from conclint.cache import Cache
from conclint.engine import Unit, tasks
from conclint.fixer import Fixed, fix
from conclint.knowledge import BUILTIN
from conclint.model import Edit, Finding, Fix, Safety, Span
from conclint.program.triggers import calls
from conclint.rules.rule import Rule
from conclint.settings import Config
from conclint.source.source import Source

CONFIG = Config(knowledge=BUILTIN)
IMPORT = Edit(Span(1, 1, 1, 1), "import asyncio\n")

Install = Callable[[Callable[[str], str | None]], None]


def arguments(source: Source) -> Iterator[cst.Arg]:
    for call in source.all(cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "sleep":
            yield call.args[0]


def rule(mend: Callable[[str], str | None], safety: Safety = Safety.SAFE, *also: Edit) -> Rule:
    """A rule that dislikes what `time.sleep` is called with; `mend` says what belongs there."""

    def check(source: Source) -> Iterator[Finding]:
        for argument in arguments(source):
            place = source.place(argument)
            better = mend(cst.Module([]).code_for_node(argument.value))
            if better is not None:
                yield Finding(place, "m", fix=Fix("mend", (*also, Edit(place.span, better)), safety))

    return Rule("CON101", "argument", calls("time.sleep"), (), check=check)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def use(*some: Rule) -> None:
        monkeypatch.setattr(rules, "all_rules", lambda: some)
        tasks.chosen.cache_clear()

    yield use
    tasks.chosen.cache_clear()


def down(text: str) -> str | None:
    return str(int(text) - 1) if text.isdigit() and text != "0" else None


def program(*arguments: str) -> str:
    return "import time\n" + "".join(f"time.sleep({argument})  # kept\n" for argument in arguments)


def mended(*arguments: str, **options: Safety) -> Fixed:
    return fix([Unit("a.py", data=program(*arguments).encode())], CONFIG, **options)


def after(fixed: Fixed) -> str:
    (change,) = fixed.changes
    return change.after.decode()


def test_until_quiet(install: Callable[..., None]) -> None:
    install(rule(down))
    fixed = mended("3", "1")
    assert after(fixed) == program("0", "0")
    assert fixed.changes[0].codes == ("CON101",) * 4
    assert fixed.result.diagnostics == ()
    assert fixed.result.failures == ()


def test_never_more_than_ten_rounds(install: Callable[..., None]) -> None:
    install(rule(down))
    fixed = mended("99")
    assert after(fixed) == program("89")
    assert len(fixed.result.diagnostics) == 1


def test_unsafe_fixes_only_if_allowed(install: Callable[..., None]) -> None:
    install(rule(down, Safety.UNSAFE))
    assert mended("1").changes == ()
    assert len(mended("1").result.diagnostics) == 1
    assert after(mended("1", allowed=Safety.UNSAFE)) == program("0")


def test_a_line_that_two_fixes_add_is_added_once(install: Callable[..., None]) -> None:
    install(rule(down, Safety.SAFE, IMPORT))
    assert after(mended("1", "1")) == "import asyncio\n" + program("0", "0")


def test_a_fix_that_breaks_the_text_is_left_out_and_named(install: Callable[..., None]) -> None:
    install(rule({"1": "0", "2": "("}.get))
    fixed = mended("2", "1")
    assert after(fixed) == program("2", "0")
    (failure,) = fixed.result.failures
    assert (failure.path, failure.rule) == ("a.py", "CON101")
    assert "does not parse" in failure.error


def test_a_fix_that_parses_but_does_not_compile_is_left_out(install: Callable[..., None]) -> None:
    install(rule({"1": "(yield)"}.get))
    fixed = mended("1")
    assert fixed.changes == ()
    assert "does not parse" in fixed.result.failures[0].error


def test_fixes_that_undo_each_other_end(install: Callable[..., None]) -> None:
    install(rule({"1": "2", "2": "1"}.get))
    fixed = mended("1")
    assert after(fixed) == program("2")
    assert "leads back" in fixed.result.failures[0].error


def test_a_fix_outside_of_the_file_is_left_out(install: Callable[..., None]) -> None:
    install(rule(down, Safety.SAFE, Edit(Span(99, 1, 99, 1), "x\n")))
    fixed = mended("1")
    assert fixed.changes == ()
    assert "outside of the file" in fixed.result.failures[0].error


def test_a_fix_that_the_encoding_cannot_hold_is_left_out(install: Callable[..., None]) -> None:
    install(rule({"1": "'é'", "2": "'ā'"}.get))
    data = b"# coding: latin-1\n" + program("1", "2").encode()
    fixed = fix([Unit("a.py", data=data)], CONFIG)
    assert fixed.changes[0].after == data.replace(b"(1)", b"('\xe9')")
    assert "latin-1" in fixed.result.failures[0].error or "iso-8859-1" in fixed.result.failures[0].error


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfimport time\r\ntime.sleep(1)  # kept\r\n",
        b"import time\rtime.sleep(1)\r",
        b"# coding: cp1252\nimport time\n\x0c\ntime.sleep(1)  # \x80 \x0c\n",
        b"import time\r\nx = '''\n'''\ntime.sleep(1)",
    ],
)
def test_everything_else_stays_as_it_was(install: Callable[..., None], data: bytes) -> None:
    install(rule(down))
    fixed = fix([Unit("a.py", data=data)], CONFIG)
    assert fixed.changes[0].after == data.replace(b"(1)", b"(0)")


def test_a_file_that_changes_meanwhile_is_left_alone(
    install: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(rule(down))
    file = tmp_path / "a.py"
    file.write_text(program("1"))
    real = fixer.check

    def check_and_save(*some: object, **options: object) -> object:
        result = real(*some, **options)  # type: ignore[arg-type]
        file.write_text(program("7"))
        return result

    monkeypatch.setattr(fixer, "check", check_and_save)
    fixed = fix([Unit(str(file))], CONFIG)
    assert fixed.changes == ()
    assert "changed while" in fixed.result.failures[0].error


def test_nothing_is_written(install: Callable[..., None], tmp_path: Path) -> None:
    install(rule(down))
    file = tmp_path / "a.py"
    file.write_text(program("1"))
    (change,) = fix([Unit(str(file))], CONFIG, cache=Cache(tmp_path / "cache")).changes
    assert file.read_text() == program("1")
    assert (change.file, change.before, change.after) == (
        str(file),
        program("1").encode(),
        program("0").encode(),
    )


def test_a_fix_can_change_what_is_found_in_another_file(install: Callable[..., None]) -> None:
    others = rule(down)

    def check(source: Source) -> Iterator[Finding]:
        if others.check is not None and not any(store for store in source.scene.functions if store.runs):
            yield from others.check(source)

    install(replace(others, check=check))
    files = [Unit("a.py", data=program("1").encode()), Unit("b.py", data=program("2").encode())]
    fixed = fix(files, CONFIG)
    assert {each.path: each.after.decode() for each in fixed.changes} == {"a.py": program("0"), "b.py": program("0")}
