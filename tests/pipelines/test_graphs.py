"""The graphs as short stories, and what holds for every compiled pipeline."""

import importlib.util
from pathlib import Path

import pytest
import yaml

from pipelines.graphs import GRAPHS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Every pipeline compiled twice, as text."""
    spec = importlib.util.spec_from_file_location("compile_pipelines", ROOT / "compile.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    texts = []
    for turn in range(2):
        folder = tmp_path_factory.mktemp(f"build{turn}")
        module.main(folder)
        texts.append({name: (folder / f"{name}.yaml").read_text() for name in GRAPHS})
    return texts


def documents(compiled, name):
    spec, platform = yaml.safe_load_all(compiled[0][name])
    return spec, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def tasks(dag):
    return sorted(dag["tasks"].items())


def story(spec, dag, indent=""):
    """Tell a graph: each task, what it waits for, and under which condition."""
    for name, task in tasks(dag):
        after = ", ".join(sorted(task.get("dependentTasks", []))) or "nothing"
        policy = task.get("triggerPolicy", {})
        when = f" if {policy['condition']}" if "condition" in policy else ""
        always = " always" if policy.get("strategy") else ""
        yield f"{indent}{name}{always} after {after}{when}"
        component = spec["components"][task["componentRef"]["name"]]
        if "dag" in component:
            yield from story(spec, component["dag"], indent + "    ")


@pytest.mark.parametrize("name", GRAPHS)
def test_the_graph_is_the_story_we_tell(name, compiled, golden):
    spec, _ = documents(compiled, name)

    golden(f"{name}.txt", "\n".join(story(spec, spec["root"]["dag"])) + "\n")


@pytest.mark.parametrize("name", GRAPHS)
def test_compiling_twice_gives_the_same_bytes(name, compiled):
    assert compiled[0][name] == compiled[1][name]


@pytest.mark.parametrize("name", GRAPHS)
def test_no_task_comes_from_kubeflows_cache(name, compiled):
    spec, _ = documents(compiled, name)
    dags = [spec["root"]["dag"], *(c["dag"] for c in spec["components"].values() if "dag" in c)]

    for dag in dags:
        for task, described in dag["tasks"].items():
            is_graph = "dag" in spec["components"][described["componentRef"]["name"]]
            assert is_graph or not described["cachingOptions"].get("enableCache"), task


@pytest.mark.parametrize("name", GRAPHS)
def test_every_task_has_limits_and_a_time(name, compiled):
    spec, kubernetes = documents(compiled, name)

    for executor, described in spec["deploymentSpec"]["executors"].items():
        resources = described["container"]["resources"]
        assert resources.keys() >= {"resourceCpuLimit", "resourceMemoryLimit"}, executor
        assert int(kubernetes[executor]["activeDeadlineSeconds"]) > 0, executor


@pytest.mark.parametrize("name", GRAPHS)
def test_no_address_with_a_password_is_a_parameter(name, compiled):
    spec, _ = documents(compiled, name)

    names = set(spec["root"].get("inputDefinitions", {}).get("parameters", {}))
    assert not names & {"database_url", "dsn", "password", "secret_key", "token"}


@pytest.mark.parametrize("name", GRAPHS)
def test_nothing_is_installed_at_run_time(name, compiled):
    assert "pip install" not in compiled[0][name]
