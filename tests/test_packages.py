"""Which files can know of each other."""

from __future__ import annotations

from conclint.index import index
from conclint.program import islands
from conclint.program.files import Files


def near(files: dict[str, str], path: str) -> list[str]:
    found = Files((name, index(name, text.encode())) for name, text in files.items())
    return [file.path for file in found.packages.near(path, found)]


def test_packages_that_do_not_import_each_other_are_strangers() -> None:
    files = {"one/__init__.py": "", "one/deep/__init__.py": "", "one/deep/a.py": "import os", "two/__init__.py": ""}
    assert near(files, "one/deep/a.py") == ["one/__init__.py", "one/deep/__init__.py", "one/deep/a.py"]


def test_who_imports_and_who_is_imported_are_near_each_other() -> None:
    files = {"app/__init__.py": "from lib import x", "lib/__init__.py": "import base", "base.py": "", "other/o.py": ""}
    assert near(files, "base.py") == ["app/__init__.py", "lib/__init__.py", "base.py"]
    assert near(files, "app/__init__.py") == ["app/__init__.py", "lib/__init__.py", "base.py"]


def test_two_that_are_imported_by_one_are_strangers_to_each_other() -> None:
    files = {"app.py": "import lib\nimport base", "lib/__init__.py": "", "base/__init__.py": ""}
    assert near(files, "lib/__init__.py") == ["app.py", "lib/__init__.py"]


def test_packages_without_init_are_imported_by_the_names_of_their_folders() -> None:
    files = {"src/space/part/a.py": "", "src/main.py": "from space.part import a", "src/space/rest/b.py": ""}
    assert near(files, "src/space/part/a.py") == ["src/space/part/a.py", "src/main.py"]


def test_relative_imports_reach_folders_above_and_below() -> None:
    files = {"src/part/inner/a.py": "from ..other import b", "src/part/other.py": "", "src/else/c.py": ""}
    assert near(files, "src/part/other.py") == ["src/part/inner/a.py", "src/part/other.py"]


def test_a_module_named_like_the_standard_library_is_not_taken_for_it() -> None:
    files = {"a/__init__.py": "import queue", "b/queue.py": ""}
    assert near(files, "b/queue.py") == ["b/queue.py"]


def parts(files: dict[str, str], smallest: int = 1) -> list[list[str]]:
    found = islands(((name, index(name, text.encode())) for name, text in files.items()), smallest)
    return [list(headers) for headers in found]


STRANGERS = {"app/__init__.py": "import lib", "one.py": "", "lib/__init__.py": "", "two/__init__.py": "", "tool.py": ""}


def test_strangers_are_linked_apart_and_who_knows_of_each_other_together() -> None:
    assert parts(STRANGERS) == [["app/__init__.py", "lib/__init__.py"], ["one.py", "tool.py"], ["two/__init__.py"]]


def test_small_parts_are_one_part() -> None:
    assert parts(STRANGERS, 2) == [["app/__init__.py", "lib/__init__.py"], ["one.py", "tool.py"], ["two/__init__.py"]]
    assert parts(STRANGERS, 3) == [["app/__init__.py", "lib/__init__.py", "one.py", "tool.py", "two/__init__.py"]]


def test_two_that_are_imported_by_one_are_one_part() -> None:
    files = {"app.py": "import lib\nimport base", "lib/__init__.py": "", "base/__init__.py": ""}
    assert parts(files) == [["app.py", "lib/__init__.py", "base/__init__.py"]]
