"""How long things may be, and what a module says of itself first."""

import ast
import collections
import statistics
import subprocess
from pathlib import Path

import pytest

from tests.support.python_imports import name_of, tree_of

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("components/**/*.py"), *ROOT.glob("pipelines/**/*.py")])
TESTS = sorted(ROOT.glob("tests/**/*.py"))


def functions(file: Path):
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_a_module_opens_with_a_sentence():
    sentences = {name_of(file): ast.get_docstring(tree_of(file)) or "" for file in FILES}

    assert [
        name for name, text in sentences.items()
        if not text.split("\n\n")[0].endswith((".", "`."))
    ] == []  # fmt: skip


def test_no_file_is_longer_than_one_idea():
    lengths = {name_of(file): len(file.read_text().splitlines()) for file in [*FILES, *TESTS]}

    assert {name: length for name, length in lengths.items() if length > 250} == {}


def test_no_function_is_longer_than_a_page():
    assert {
        f"{name_of(file)}: {function.name}": function.end_lineno - function.lineno
        for file in FILES for function in functions(file)
        if function.end_lineno - function.lineno >= max_lines(file)
    } == {}  # fmt: skip


def max_lines(file: Path) -> int:
    """Return the limit of a function; where parameters are described one by one it is higher."""
    return 80 if file.name == "component.py" or file.parent.name == "pipelines" else 41


def test_most_functions_are_short():
    bodies = [
        f.end_lineno - f.body[ast.get_docstring(f) is not None and len(f.body) > 1].lineno + 1
        for file in FILES
        for f in functions(file)
    ]

    assert statistics.median(bodies) <= 8


def test_a_public_class_name_has_one_meaning():
    homes = collections.defaultdict(list)
    for file in FILES:
        for node in tree_of(file).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(name_of(file))

    assert {name: files for name, files in homes.items() if len(files) > 1} == {}


def calls(tree: ast.AST, name: str) -> list[ast.Call]:
    every = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call for call in every if isinstance(call.func, ast.Name) and call.func.id == name]


# The pool of the gateway lends connections and closes them when the process ends.
POOL = ROOT / "components/serving/gateway/database.py"
CONNECTS = [
    file for file in FILES if "store.postgres import connect" in file.read_text() and file != POOL
]


@pytest.mark.parametrize("file", CONNECTS, ids=name_of)
def test_a_connection_to_the_database_is_opened_where_it_is_closed(file: Path):
    tree = tree_of(file)
    closed = [argument for call in calls(tree, "closing") for argument in call.args]

    assert [call.lineno for call in calls(tree, "connect") if call not in closed] == []


def test_the_project_says_nothing_of_the_machine_it_was_written_on():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    words = ("/work" + "/", "/root" + "/", "pypi" + ".org", "pythonhosted" + ".org")
    for name in listed.stdout.split("\n"):
        file = ROOT / name
        if file.is_file() and file.suffix not in (".png", ".jpg"):
            assert not [word for word in words if word in file.read_text()], name
