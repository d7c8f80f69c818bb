"""Each rule of the policy passes what we compile, and fires when one thing in it is changed."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kfp import compiler, dsl, kubernetes

from components.promotion.deploy_model.component import deploy_model
from components.shared.contracts.errors import UserError
from pipelines.exit_handler import exit_handler
from pipelines.graphs import GRAPHS
from pipelines.placement import light
from pipelines.policy.compiled import Compiled
from pipelines.policy.lint import RELEASED, RULES, WORKING, findings, lint
from pipelines.policy.rules import AMOUNTS
from tests.support.pipeline_changes import CHANGES, HEX, RANDOM, container, placed

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "0123456789abcdef" * 4


@dsl.pipeline(name="nested", description="Acts inside a condition inside a loop.")
def nested(datasets: list = ["a"]) -> None:  # noqa: B006 (kfp copies it)
    """Act many times.

    Args:
        datasets: What to act on.
    """
    with (
        exit_handler("nested"),
        dsl.ParallelFor(datasets, name="each") as dataset,
        dsl.If(dataset != "", name="named"),
    ):
        acts = deploy_model(dataset=dataset, model="challenger")
        light(acts)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The documents of every compiled pipeline, by name."""
    folder = tmp_path_factory.mktemp("compiled")
    documents = {}
    for name, graph in {**GRAPHS, "nested": nested}.items():
        compiler.Compiler().compile(graph, str(folder / f"{name}.yaml"))
        documents[name] = list(yaml.safe_load_all((folder / f"{name}.yaml").read_text()))
    return documents


@pytest.fixture
def train(compiled):
    """The train pipeline's documents, to be changed."""
    return copy.deepcopy(compiled["train"])


def broken(documents, **options):
    """Which rules are broken, and what is said."""
    found = findings(Compiled.of("p.yaml", documents), **options)
    return {f.rule: "\n".join(str(g) for g in found if g.rule == f.rule) for f in found}


@pytest.mark.parametrize("name", [*GRAPHS, "nested"])
def test_what_we_compile_breaks_no_rule(name, compiled):
    assert broken(compiled[name]) == {}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed_by_its_rule_alone_and_named(change, train):
    rule, told, act = CHANGES[change]

    act(train)

    found = broken(train)
    assert told in found[rule]
    assert set(found) == {rule} or change == "no platform"


def test_every_rule_is_shown_to_fire():
    assert {rule for rule, *_ in CHANGES.values()} == set(RULES) | set(WORKING)


def test_no_sentence_repeats_a_secret(train):
    for rule, _, act in CHANGES.values():
        if rule == "secret":
            act(train)

    (told,) = broken(train).values()
    assert not [secret for secret in (RANDOM, HEX, "hunter2", "AKIA") if secret in told]


@pytest.mark.parametrize("name", GRAPHS)
def test_any_one_missing_amount_of_any_task_is_found(name, compiled):
    for label, executor in compiled[name][0]["deploymentSpec"]["executors"].items():
        resources = executor["container"]["resources"]
        for field in AMOUNTS:
            amount = resources.pop(field)
            found = broken(compiled[name])
            resources[field] = amount

            assert field in found["resources"], (label, field)


@pytest.mark.parametrize("name", [*GRAPHS, "nested"])
def test_any_one_cached_task_in_any_block_is_found(name, compiled):
    graphs = [compiled[name][0]["root"], *compiled[name][0]["components"].values()]
    tasks = [task for graph in graphs for task in graph.get("dag", {}).get("tasks", {}).values()]
    acting = [task for task in tasks if "cachingOptions" in task]

    assert len(acting) == len(Compiled.of(name, compiled[name]).tasks) >= 2
    for task in acting:
        task["cachingOptions"]["enableCache"] = True
        found = broken(compiled[name])
        del task["cachingOptions"]["enableCache"]

        assert found["cache"].count("may come from the cache") == 1
        assert task["taskInfo"]["name"] in found["cache"]


def test_a_task_in_a_condition_in_a_loop_is_named_with_its_blocks(compiled):
    paths = {task.path for task in Compiled.of("nested", compiled["nested"]).tasks}

    assert "nested/each/named/deploy-model" in paths


def test_a_release_names_every_image_by_digest(train):
    assert set(broken(train, release=True)) == {"digest"}

    for executor in train[0]["deploymentSpec"]["executors"].values():
        executor["container"]["image"] = executor["container"]["image"].replace(
            ":dev", f"@{DIGEST}"
        )

    assert broken(train, release=True) == {}
    assert broken(train) == {}


@pytest.mark.parametrize("digest", ["sha256:12", DIGEST.upper(), "sha1:" + "0" * 40])
def test_a_release_takes_no_half_digest(digest, train):
    container(train, "judge-model")["image"] = f"localhost:5000/car-detection/core@{digest}"

    assert f"core@{digest}" in " ".join(
        f.sentence for f in findings(Compiled.of("p", train), release=True) if f.rule in RELEASED
    )


def test_a_component_that_installs_packages_is_found(tmp_path):
    @dsl.component(base_image="localhost:5000/car-detection/core:dev", packages_to_install=["six"])
    def installing() -> int:
        return 1

    @dsl.pipeline(name="installs")
    def graph() -> None:
        with exit_handler("installs"):
            light(installing())

    compiler.Compiler().compile(graph, str(tmp_path / "graph.yaml"))

    found = findings(Compiled.read(tmp_path / "graph.yaml"))
    assert [(f.rule, f.where) for f in found] == [("install", "installs/installing")]


def test_a_secret_that_a_run_names_is_found_as_kubeflow_compiles_it(tmp_path):
    @dsl.pipeline(name="asks")
    def graph(secret: str = "car-database") -> None:
        with exit_handler("asks"):
            acts = light(deploy_model(dataset="a", model="challenger"))
            kubernetes.use_secret_as_env(acts, secret_name=secret, secret_key_to_env={"url": "X"})

    compiler.Compiler().compile(graph, str(tmp_path / "graph.yaml"))

    (found,) = [
        f.sentence for f in findings(Compiled.read(tmp_path / "graph.yaml")) if f.rule == "access"
    ]
    assert "componentInputParameter" in found


PIPELINE = "pipelineInfo: {name: a}\nroot: {}\n---\n"


@pytest.mark.parametrize(
    "text",
    [
        "", "a: [", "kind: Pod\n", "- 1\n", "pipelineInfo: 1\nroot: 2\n---\n{}\n",
        "pipelineInfo: {}\nroot: {dag: {tasks: 4}}\n---\n{}\n",
        PIPELINE + "1", PIPELINE, PIPELINE + "{platforms: {kubernetes: 2}}",
        PIPELINE + "{platforms: {kubernetes: {deploymentSpec: {executors: {a: {pvc: 1}}}}}}",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_compiled_pipeline_is_refused(text, tmp_path):
    (tmp_path / "p.yaml").write_text(text)

    with pytest.raises(UserError, match=r"p\.yaml is no"):
        lint([str(tmp_path / "p.yaml")])


@pytest.mark.parametrize(
    "act", [lambda d: d.pop(), lambda d: d.append({}), lambda d: d.append(d[1])]
)
def test_a_file_with_other_than_two_documents_is_refused(act, train):
    act(train)

    with pytest.raises(UserError, match=r"p\.yaml has [13] documents, expected 2"):
        broken(train)


def test_the_command_compiles_lints_and_says_what_it_saw():
    passed = subprocess.run(
        [sys.executable, "-m", "pipelines", "lint"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert re.fullmatch(r"\d+ pipelines, \d+ tasks, 14 rules: no findings\n", passed.stdout)


def test_a_finding_is_a_line_and_an_exit_code(train, tmp_path, capsys):
    placed(train, "deploy-model").pop("activeDeadlineSeconds")
    (tmp_path / "train.yaml").write_text(yaml.safe_dump_all(train))

    code = lint([str(tmp_path / "train.yaml")])

    line, summary = capsys.readouterr().out.splitlines()
    assert code == 1
    assert line.endswith(
        "train.yaml: [timeout] train/if better/if approved/deploy-model may hang, "
        "expected activeDeadlineSeconds above 0"
    )
    assert summary.endswith("14 rules: 1 finding")
