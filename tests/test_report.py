"""The same findings in each format."""

from __future__ import annotations

import json
import re

import pytest

from conclint.model import Diagnostic, Edit, Failure, Finding, Fix, Note, Place, Result, Safety, Span
from conclint.report import FORMATS, Material, render
from conclint.report.snippet import WIDTH, snippet
from conclint.report.statistics import statistics

STATE = "state.py"
SOURCES = {STATE: ("count = 0", "def add():", "\tcount += 1"), "cli.py": ("Thread(target=add).start()",)}
FIX = Fix("hold a lock", (Edit(Span(1, 1, 1, 1), "import threading\n"), Edit(Span(3, 2, 3, 12), "x")), Safety.SAFE)
RACE = Diagnostic(
    "CON301",
    "unlocked-increment",
    Finding(
        Place(STATE, Span(3, 2, 3, 12)),
        "`count` loses increments: 100 % of them, or fewer",
        (Note(Place("cli.py", Span(1, 1, 1, 27)), "started here"),),
        FIX,
    ),
)
PLAIN = Diagnostic("CON510", "print-in-worker", Finding(Place("odd, name: 1.py", Span(7, 1, 9, 2)), "two\nlines"))
FAILURE = Failure("a.py", "CON103", "ValueError: no")


def report(name: str, *diagnostics: Diagnostic, colour: bool = False, failures: tuple[Failure, ...] = ()) -> str:
    result = Result(diagnostics, failures, 3)
    material = Material(result, lambda path: SOURCES.get(path, ()), colour)
    return "".join(f"{line}\n" for line in render(name, material))


def test_text_is_one_line_per_finding():
    assert report("text", RACE, PLAIN) == (
        "state.py:3:2: CON301 `count` loses increments: 100 % of them, or fewer\n"
        "odd, name: 1.py:7:1: CON510 two\\nlines\n"
    )


def test_full_shows_lines_notes_and_fix():
    assert report("full", RACE) == (
        "state.py:3:2: CON301 `count` loses increments: 100 % of them, or fewer\n"
        "  3 |     count += 1\n"
        "    |     ^^^^^^^^^^\n"
        "  note: cli.py:1:1: started here\n"
        "  1 | Thread(target=add).start()\n"
        "    | ^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  fix: hold a lock (--fix)\n"
        "\n"
        "1 finding in 1 file of 3.\n"
        "Can be mended: 1 with --fix.\n"
    )


def test_full_without_the_source_still_says_what_is_found():
    assert report("full", PLAIN) == "odd, name: 1.py:7:1: CON510 two\\nlines\n\n1 finding in 1 file of 3.\n"


@pytest.mark.parametrize("name", ["text", "full"])
def test_colour_adds_nothing_but_colour(name):

    coloured = report(name, RACE, colour=True)
    assert "\x1b[1;31mCON301\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == report(name, RACE)


@pytest.mark.parametrize("name", ["text", "full", "github"])
def test_nothing_found_says_nothing(name):
    assert report(name) == ""


def test_no_terminal_is_driven_from_a_file_name_or_a_source_line():
    evil = Diagnostic("CON001", "x", Finding(Place("a\x1b[2J.py", Span(1, 1, 1, 1)), "m"))
    assert "\x1b" not in report("text", evil)
    assert "\x1b" not in snippet("x = '\x1b[2J'", Span(1, 1, 1, 2))[0]


@pytest.mark.parametrize(
    ("line", "span", "code", "under"),
    [
        ("a = b", Span(1, 5, 1, 6), "a = b", "    ^"),
        ("a = b", Span(1, 6, 1, 6), "a = b", "     ^"),
        ("\t\tf(x)", Span(1, 3, 1, 7), "        f(x)", "        ^^^^"),
        ("名 = f(x)", Span(1, 5, 1, 9), "名 = f(x)", "     ^^^^"),
        ("f('名前')", Span(1, 1, 1, 8), "f('名前')", "^^^^^^^^^"),
        ("e\u0301 = f", Span(1, 6, 1, 7), "e\u0301 = f", "    ^"),
        ("with x:  ", Span(1, 1, 4, 2), "with x:", "^^^^^^^"),
        ("", Span(1, 1, 1, 1), "", "^"),
        ("ab", Span(1, 9, 1, 12), "ab", "  ^"),
        ("a\x0cb", Span(1, 3, 1, 4), "a\\x0cb", "     ^"),
    ],
)
def test_carets_stand_below_the_span(line, span, code, under):
    assert snippet(line, span) == (code, under)


def test_a_very_long_line_is_cut_around_the_span():
    line = "x" * 3_000_000 + "HERE" + "y" * 2_000_000
    code, under = snippet(line, Span(1, 3_000_001, 1, 3_000_005))
    assert len(code) <= WIDTH + 2
    assert code[under.index("^") : under.rindex("^") + 1] == "HERE"


def test_a_span_that_is_longer_than_the_cut_line_ends_with_it():
    code, under = snippet("f(" + "x" * 5000 + ")", Span(1, 1, 1, 5004))
    assert len(under) <= len(code) <= WIDTH + 2


def test_json_has_every_part():
    assert json.loads(report("json", RACE, PLAIN))[0] == {
        "code": "CON301",
        "name": "unlocked-increment",
        "message": "`count` loses increments: 100 % of them, or fewer",
        "path": "state.py",
        "line": 3,
        "column": 2,
        "end_line": 3,
        "end_column": 12,
        "notes": [{"path": "cli.py", "line": 1, "column": 1, "message": "started here"}],
        "fix": {
            "title": "hold a lock",
            "safety": "safe",
            "edits": [
                {"line": 1, "column": 1, "end_line": 1, "end_column": 1, "text": "import threading\n"},
                {"line": 3, "column": 2, "end_line": 3, "end_column": 12, "text": "x"},
            ],
        },
    }


def test_json_of_nothing_is_an_empty_array():
    assert json.loads(report("json")) == []
    assert json.loads(report("json", PLAIN))[0]["fix"] is None


def test_sarif():
    log = json.loads(report("sarif", RACE, PLAIN, failures=(FAILURE,)))
    (run,) = log["runs"]
    assert (log["version"], run["columnKind"]) == ("2.1.0", "unicodeCodePoints")
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["CON301", "CON510"]
    race, plain = run["results"]
    assert (race["ruleId"], race["ruleIndex"], plain["ruleIndex"]) == ("CON301", 0, 1)
    assert race["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "state.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 2, "endLine": 3, "endColumn": 12},
    }
    (related,) = race["relatedLocations"]
    assert (related["id"], related["message"]["text"]) == (1, "started here")
    (change,) = race["fixes"][0]["artifactChanges"]
    assert change["replacements"][0] == {
        "deletedRegion": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
        "insertedContent": {"text": "import threading\n"},
    }
    assert run["invocations"][0]["executionSuccessful"] is False


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/ä.py", "a%20b/%C3%A4.py"),
        ("../x#1.py", "../x%231.py"),
        ("a\udcff.py", "a%FF.py"),
        ("c:d.py", "c%3Ad.py"),
        ("/abs/x y.py", "file:///abs/x%20y.py"),
    ],
)
def test_sarif_paths_are_uris(path, uri):
    odd = Diagnostic("CON001", "unreadable-file", Finding(Place(path, Span(1, 1, 1, 1)), "m"))
    (run,) = json.loads(report("sarif", odd))["runs"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_github_annotations():
    assert report("github", RACE, PLAIN) == (
        "::error file=state.py,line=3,col=2,endLine=3,endColumn=12,title=CON301 unlocked-increment"
        "::`count` loses increments: 100 %25 of them, or fewer%0Acli.py:1: started here\n"
        "::error file=odd%2C name%3A 1.py,line=7,col=1,endLine=9,title=CON510 print-in-worker::two%0Alines\n"
    )


def test_statistics_count_per_code():
    assert list(statistics(Result((RACE, PLAIN, PLAIN)))) == ["2 CON510 print-in-worker", "1 CON301 unlocked-increment"]
    assert list(statistics(Result(()))) == []


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_names_that_are_not_text(name):
    odd = Diagnostic("CON001", "unreadable-file", Finding(Place("a\udcff.py", Span(1, 1, 1, 1)), "m"))
    report(name, odd).encode("ascii", "backslashreplace")
