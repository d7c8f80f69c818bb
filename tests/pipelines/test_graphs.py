"""The graphs as short stories; what else must hold for them is the policy's (test_lint.py)."""

import importlib.util
from pathlib import Path

import pytest

from pipelines.graphs import GRAPHS
from pipelines.story import story

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def compiler():
    """The module `compile.py`, whose name is that of a function of Python's own."""
    spec = importlib.util.spec_from_file_location("compile_pipelines", ROOT / "compile.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def packages(compiler, tmp_path_factory):
    """Two folders of every pipeline's package."""
    folders = [tmp_path_factory.mktemp(f"build{turn}") for turn in range(2)]
    for folder in folders:
        compiler.main(folder)
    return folders


@pytest.fixture(scope="session")
def compiled(packages):
    """Every pipeline compiled twice, as text."""
    return [{n: (folder / f"{n}.yaml").read_text() for n in GRAPHS} for folder in packages]


@pytest.mark.parametrize("name", GRAPHS)
def test_the_pipeline_is_the_story_we_tell(name, packages, golden):
    golden(f"{name}.txt", story(packages[0] / f"{name}.yaml"))


def test_checking_finds_the_pipelines_as_reviewed(compiler, capsys):
    assert compiler.check() == 0
    assert capsys.readouterr().out.endswith("0 not as reviewed\n")


def test_checking_shows_how_a_pipeline_differs(compiler, tmp_path, capsys):
    for file in compiler.REVIEWED.glob("*.txt"):
        text = file.read_text()
        changed = text.replace("retries 2", "retries 7", 1) if file.stem == "deploy" else text
        (tmp_path / file.name).write_text(changed)

    assert compiler.check(tmp_path) == 1
    told = capsys.readouterr().out
    assert "deploy compiled" in told
    assert "train compiled" not in told
    assert "1 not as reviewed" in told


@pytest.mark.parametrize("name", GRAPHS)
def test_compiling_twice_gives_the_same_bytes(name, compiled):
    assert compiled[0][name] == compiled[1][name]
