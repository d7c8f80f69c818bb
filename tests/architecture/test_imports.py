"""The modules of `components` import only what the import table allows."""

import ast
from pathlib import Path

import pytest

from tests.architecture.import_table import (
    ENTRY_POINTS,
    JOBS,
    SHARED,
    STAGES,
    TRAINING,
    WRAPPER_HEAD,
)
from tests.support.python_imports import (
    ROOT,
    imported_modules,
    imported_packages,
    name_of,
    package_of_file,
    tree_of,
)

MODULES = sorted(set(ROOT.glob("components/*.py")) - {ROOT / "components/__init__.py"})
FILES = [*MODULES, *sorted(ROOT.glob("components/*/*/**/*.py"))]
ALLOWED = ENTRY_POINTS | SHARED | {job: needs | {"contracts"} for job, needs in JOBS.items()}
WRAPPERS = sorted(ROOT.glob("components/*/*/component.py"))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_package_imports_only_what_it_may(file: Path):
    here = package_of_file(file)
    if here == "store.__init__":
        return
    head = WRAPPER_HEAD if file in WRAPPERS else set()

    assert imported_packages(ast.walk(tree_of(file))) <= ALLOWED[here] | head | {here}


@pytest.mark.parametrize("file", WRAPPERS, ids=name_of)
def test_a_wrapper_compiles_with_nothing_but_kubeflow(file: Path):
    assert imported_packages(tree_of(file).body) <= WRAPPER_HEAD


@pytest.mark.parametrize("file", WRAPPERS, ids=name_of)
def test_a_wrapper_holds_no_logic(file: Path):
    function = next(node for node in tree_of(file).body if isinstance(node, ast.FunctionDef))
    statements = [
        node
        for node in function.body
        if not isinstance(node, ast.Import | ast.ImportFrom) and not _is_docstring(node)
    ]

    assert function.name == file.parent.name
    assert len(statements) <= 10


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_every_folder_has_its_place_in_the_tables():
    folders: dict[str, set[str]] = {}
    for file in ROOT.glob("components/*/*/__init__.py"):
        folders.setdefault(file.parents[1].name, set()).add(file.parent.name)
    shared = {name.split(".")[0] for name in SHARED}

    assert folders == STAGES | {"shared": shared}
    assert set().union(*STAGES.values()) == set(JOBS)
    assert {file.stem for file in MODULES} == set(ENTRY_POINTS)


@pytest.mark.parametrize("below", range(len(TRAINING)), ids=TRAINING)
def test_a_folder_of_train_detector_imports_only_those_below_it(below):
    home = "components.training.train_detector"
    folder, allowed = TRAINING[below], {f"{home}.{name}" for name in TRAINING[: below + 1]}
    files = (ROOT / home.replace(".", "/") / folder).glob("**/*.py")
    found = {
        ".".join(module.split(".")[:4])
        for file in files for module in imported_modules(ast.walk(tree_of(file)))
        if module.startswith(home)
    }  # fmt: skip

    assert found <= allowed


def test_a_job_is_run_by_kubeflow_or_by_itself_and_never_by_both():
    for folder in (ROOT / "components" / stage / job for stage in STAGES for job in STAGES[stage]):
        assert (folder / "component.py").exists() != (folder / "service.py").exists(), folder
