"""How long things may be, and what a module says of itself first."""

import ast
import collections
import statistics
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("components/**/*.py"), *ROOT.glob("pipelines/**/*.py")])
TESTS = sorted(ROOT.glob("tests/**/*.py"))


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def functions(file: Path):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_module_opens_with_a_sentence(file: Path):
    sentence = ast.get_docstring(ast.parse(file.read_text()))

    assert sentence
    assert sentence.split("\n\n")[0].endswith((".", "`."))


@pytest.mark.parametrize("file", [*FILES, *TESTS], ids=name_of)
def test_no_file_is_longer_than_one_idea(file: Path):
    assert len(file.read_text().splitlines()) <= 250


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_function_is_longer_than_a_page(file: Path):
    wrapped = file.name == "component.py" or file.parent.name == "pipelines"
    limit = 80 if wrapped else 41  # a signature and its parameters are told one by one

    assert {f.name: f.end_lineno - f.lineno for f in functions(file)} == {
        f.name: f.end_lineno - f.lineno for f in functions(file) if f.end_lineno - f.lineno < limit
    }


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
        for node in ast.parse(file.read_text()).body:
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
    tree = ast.parse(file.read_text())
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
