"""The file names of an artifact folder are spelled in its layout class alone."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("components/**/*.py"), *ROOT.glob("pipelines/**/*.py")])
TREES = {file: ast.parse(file.read_text()) for file in FILES}
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


NAMES = {
    text for tree in TREES.values() for layout in layouts(tree) for text in texts(layout)
    if NAME.fullmatch(text) or text.startswith(".")
}  # fmt: skip


def test_layouts_name_the_files_of_snapshots_windows_models_packages_and_verdicts():
    assert {
        "manifest.jsonl", "window.json", "weights.npz", "model.onnx", "card.md", "verdict.json",
        "absent.json", ".hard.jsonl",
    } <= NAMES  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_other_code_spells_a_file_of_an_artifact(file):
    inside = {text for layout in layouts(TREES[file]) for text in texts(layout)}
    spelled = {
        name for text in texts(TREES[file]) - inside for name in NAMES
        if text == name or text.endswith((f"/{name}", f" {name}")) or f"/{name}" in text
    }  # fmt: skip

    assert spelled == set()
