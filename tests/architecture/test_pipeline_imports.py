"""The modules of `pipelines` import only what the import table allows, and hold no lake SQL."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.import_table import GRAPH, GRAPHS, PIPELINES
from tests.support.python_imports import (
    ROOT,
    imported_modules,
    name_of,
    package_of_file,
    parts_imported,
    tree_of,
)

FILES = sorted(set(ROOT.glob("pipelines/**/*.py")) - {ROOT / "pipelines/__init__.py"})
# Where people come in, and what they may choose there.
ENTRY_POINTS = {
    ROOT / f"pipelines/{name}.py"
    for name in ("__main__", "command_line", "completion", "form", "parameters")
}
GRAPH_FILES = sorted(set(ROOT.glob("pipelines/*.py")) - ENTRY_POINTS)
ALL = [*FILES, *sorted(ROOT.glob("components/**/*.py"))]
TABLE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(registry\.\w+)")


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_package_of_pipelines_imports_only_what_it_may(file: Path):
    here = package_of_file(file)

    assert parts_imported(file) <= PIPELINES[here] | {here}


@pytest.mark.parametrize("package", PIPELINES)
def test_a_row_allows_nothing_that_the_package_does_not_import(package):
    files = [file for file in FILES if package_of_file(file) == package]
    unused = PIPELINES[package] - set().union(*map(parts_imported, files))

    assert unused <= (GRAPH if package in GRAPHS else set())


def test_every_file_and_folder_of_pipelines_has_its_place_in_the_table():
    assert {package_of_file(file) for file in FILES} == set(PIPELINES)


@pytest.mark.parametrize("file", GRAPH_FILES, ids=name_of)
def test_a_pipeline_sees_wrappers_and_never_logic(file: Path):
    for module in imported_modules(ast.walk(tree_of(file))):
        assert module.split(".")[0] in {"kfp", "pipelines"} or module.endswith(".component")


@pytest.mark.parametrize("file", GRAPH_FILES, ids=name_of)
def test_only_placement_speaks_to_kubernetes(file: Path):
    assert ("kfp.kubernetes" in parts_imported(file)) == (file.name == "placement.py")


def test_no_modules_import_each_other_in_a_circle():
    names = {_module_of(file): file for file in ALL}
    arrows = {name: _imported(file, set(names)) - {name} for name, file in names.items()}

    assert len(list(TopologicalSorter(arrows).static_order())) == len(names)


def _module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imported(file: Path, names: set[str]) -> set[str]:
    """Return the modules of the project that a file imports, at its top or in a function."""
    found = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.ImportFrom):
            below = {f"{node.module}.{alias.name}" for alias in node.names} & names
            found |= below or {node.module}
    return found & names


def test_the_tables_of_the_registry_are_read_and_written_in_the_store_alone():
    store = ROOT / "components/shared/store"
    tables = {
        table
        for file in store.glob("migrations/*.sql")
        for table in TABLE.findall(file.read_text())
    }
    found = {
        name_of(file): used
        for file in ALL
        if store not in file.parents and (used := _named(file, tables))
    }

    assert len(tables) == 6
    assert found == {}


def _named(file: Path, tables: set[str]) -> set[str]:
    """Return the tables that texts in a file name."""
    texts = [
        node.value
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return {table for table in tables for text in texts if re.search(rf"\b{table}\b", text)}
