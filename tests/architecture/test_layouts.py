"""The file names of an artifact folder are spelled in its layout class alone."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.support.python_imports import name_of, tree_of

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("components/**/*.py"), *ROOT.glob("pipelines/**/*.py")])
NAME = re.compile(r"[\w.{}]+\.(?:jsonl?|npz|onnx|pbtxt|sig|md)")


def layouts(tree: ast.AST) -> list[ast.ClassDef]:
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return [node for node in nodes if node.name.endswith("Layout")]


def texts(node: ast.AST) -> set[str]:
    """The texts of some code, without its docstrings and the examples in them."""
    said = {
        id(part.value) for part in ast.walk(node)
        if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
    }  # fmt: skip
    return {
        part.value for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and id(part) not in said
    }  # fmt: skip


@cache
def file_names() -> set[str]:
    """Return the file names that layout classes spell."""
    return {
        text for file in FILES for layout in layouts(tree_of(file)) for text in texts(layout)
        if NAME.fullmatch(text) or text.startswith(".")
    }  # fmt: skip


def spelled(file: Path) -> set[str]:
    """Return the file names of artifacts that a file spells outside of layout classes."""
    inside = {text for layout in layouts(tree_of(file)) for text in texts(layout)}
    return {
        name for text in texts(tree_of(file)) - inside for name in file_names()
        if text == name or text.endswith((f"/{name}", f" {name}")) or f"/{name}" in text
    }  # fmt: skip


def test_layouts_name_the_files_of_snapshots_windows_models_packages_and_verdicts():
    assert {
        "manifest.jsonl", "window.json", "weights.npz", "model.onnx", "card.md", "verdict.json",
        "absent.json", ".hard.jsonl",
    } <= file_names()  # fmt: skip


def test_no_other_code_spells_a_file_of_an_artifact():
    assert {name_of(file): names for file in FILES if (names := spelled(file))} == {}
