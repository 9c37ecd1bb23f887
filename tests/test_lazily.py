"""A lazy module costs nothing until it is used, and then is the module itself."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> str:
    begin = "import sys\nfrom conclint.lazily import lazily\nlazily('libcst')\n"
    return subprocess.run([sys.executable, "-c", begin + code], capture_output=True, text=True, check=True).stdout


def test_an_import_loads_nothing() -> None:
    assert run("import libcst as cst\nprint('libcst._nodes' in sys.modules)") == "False\n"


def test_the_first_attribute_loads() -> None:
    assert run("import libcst as cst\nprint(cst.parse_module('x').code)") == "x\n"


def test_submodules_load_the_whole() -> None:
    code = "import libcst as cst\nimport libcst.metadata\nfrom libcst import matchers as m\nprint(cst.metadata, m.Name)"
    assert "libcst.metadata" in run(code)


def test_several_threads_see_one_whole_module() -> None:
    code = """
import libcst as cst
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    print({node.code for node in pool.map(lambda _: cst.parse_module("x"), range(16))})
"""
    assert run(code) == "{'x'}\n"


def test_a_missing_attribute_is_named() -> None:
    assert "has no attribute 'nothing'" in run(
        "import libcst\ntry:\n    libcst.nothing\nexcept AttributeError as e:\n    print(e)"
    )


def test_an_absent_module_is_left_to_its_import() -> None:
    assert run("lazily('no_such_module')\nprint('no_such_module' in sys.modules)") == "False\n"


def test_a_lazy_module_can_be_loaded_ahead() -> None:
    assert run("from conclint.lazily import load\nload('libcst')\nprint('libcst._nodes' in sys.modules)") == "True\n"
