"""Every exception that one module raises for another is in the tree of `contracts.errors`."""

import ast
import importlib
import inspect
from pathlib import Path

from components.shared.contracts.errors import ApplicationError
from tests.support.python_imports import tree_of

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("components/**/*.py"), *ROOT.glob("pipelines/**/*.py")])
# Public exceptions outside of the tree, with the reason.
OUTSIDE = {"Stopped": "the end of a process at SIGTERM, which is no error"}


def is_exception(node: ast.AST) -> bool:
    bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
    return any(base.endswith(("Error", "Exception", "Exit", "Interrupt")) for base in bases)


def exceptions():
    for file in FILES:
        for node in filter(is_exception, ast.walk(tree_of(file))):
            if not node.name.startswith("_") and node.name not in OUTSIDE:
                yield file, node


def test_a_public_exception_is_called_an_error():
    assert [node.name for _, node in exceptions() if not node.name.endswith("Error")] == []


def test_a_public_exception_is_in_the_tree():
    for file, node in exceptions():
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        kind = getattr(importlib.import_module(module), node.name)
        assert inspect.isclass(kind)
        assert issubclass(kind, ApplicationError), node.name
