"""Read the imports of Python files, and shorten them to the names of the import table."""

import ast
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tests.architecture.import_table import JOBS, STAGES

ROOT = Path(__file__).parents[2]
# Of these the imported names are modules, or stand for one.
SPLIT = ("components", "components.shared.store", "components.shared.vision", "kfp")


def name_of(file: Path) -> str:
    """Return the path of a file below the project."""
    return str(file.relative_to(ROOT))


@cache
def tree_of(file: Path) -> ast.Module:
    """Return the syntax tree of a file, which must not change while tests run."""
    return ast.parse(file.read_text())


def imported_modules(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the modules that some nodes import, the standard library left out."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= _from(node)
    return {name for name in found if name.split(".")[0] not in sys.stdlib_module_names}


def _from(node: ast.ImportFrom) -> set[str]:
    module = node.module or ""
    return {f"{module}.{alias.name}" for alias in node.names} if module in SPLIT else {module}


def package_of(module: str) -> str:
    """Shorten the name of a module to that of its package in the table.

    >>> package_of("components.shared.vision.boxes"), package_of("numpy.typing")
    ('vision', 'numpy')
    >>> package_of("components.shared.store.objects"), package_of("pipelines.local.run")
    ('store.objects', 'pipelines.local')
    """
    parts = module.removeprefix("components.").split(".")
    if parts[0] == "shared" or parts[0] in STAGES:
        parts = parts[1:]
    return ".".join(parts[:2]) if parts[0] in ("store", "pipelines") else parts[0]


def package_of_file(file: Path) -> str:
    """Return the package that a file belongs to."""
    return package_of(".".join(file.relative_to(ROOT).with_suffix("").parts))


def imported_packages(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the packages that some nodes import."""
    return {package_of(module) for module in imported_modules(nodes)}


def parts_imported(file: Path) -> set[str]:
    """Return what a file imports as `pipelines` names it: of jobs and of kfp, the parts.

    The wrapper of any job is `component`; another module of a job is named with the job.
    """
    return {_part(module) for module in imported_modules(ast.walk(tree_of(file)))}


def _part(module: str) -> str:
    package = package_of(module)
    parts = module.split(".")
    if package in JOBS:
        return "component" if parts[-1] == "component" else ".".join(parts[2:4])
    return ".".join(parts[:2]) if package == "kfp" else package
