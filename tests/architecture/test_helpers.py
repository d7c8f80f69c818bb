"""What several tests share is in tests/support, and never in a test module or a conftest file."""

import ast
import re

from tests.support.python_imports import ROOT, imported_modules, name_of, tree_of

MIRRORS = ("architecture", "components", "manifests", "pipelines")
TABLE = ROOT / "tests/architecture/import_table.py"
TEST = re.compile(r"\.(test_\w+|conftest)$")


def test_beside_the_tests_lie_fixtures_and_no_helpers():
    files = {file for folder in MIRRORS for file in ROOT.glob(f"tests/{folder}/**/*.py")} - {TABLE}
    other = [file for file in files if not TEST.search(f".{file.stem}")]

    assert list(map(name_of, other)) == []


def test_no_test_module_is_imported():
    assert [
        f"{name_of(file)}: {module}" for file in sorted(ROOT.glob("tests/**/*.py"))
        for module in imported_modules(ast.walk(tree_of(file))) if TEST.search(module)
    ] == []  # fmt: skip
