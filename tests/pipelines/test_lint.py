"""Each rule of the policy passes what we compile, and fires when one thing in it is changed."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kfp import compiler, dsl

from components.contracts.refusal import Refusal
from components.deploy_model.component import deploy_model
from components.record_outcome.component import record_outcome
from pipelines.ending import recorded
from pipelines.graphs import GRAPHS
from pipelines.placement import light, with_detector
from pipelines.policy.compiled import Compiled
from pipelines.policy.lint import RELEASED, RULES, WORKING, findings, lint
from pipelines.policy.rules import AMOUNTS

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "0123456789abcdef" * 4


@dsl.pipeline(name="nested", description="Acts inside a condition inside a loop.")
def nested(datasets: list = ["a"]) -> None:  # noqa: B006 (kfp copies it)
    """Act many times.

    Args:
        datasets: What to act on.
    """
    with (
        recorded("nested"),
        dsl.ParallelFor(datasets, name="each") as dataset,
        dsl.If(dataset != "", name="named"),
    ):
        light(with_detector(deploy_model(dataset=dataset, model="challenger")))


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


def container(documents, job):
    return documents[0]["deploymentSpec"]["executors"][f"exec-{job}"]["container"]


def placed(documents, job):
    return documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"][f"exec-{job}"]


def task(documents, key):
    graphs = [documents[0]["root"], *documents[0]["components"].values()]
    return next(g["dag"]["tasks"][key] for g in graphs if key in g.get("dag", {}).get("tasks", {}))


def parameter(documents, name):
    return documents[0]["root"]["inputDefinitions"]["parameters"][name]


def swap_accounts(documents):
    deployer = placed(documents, "deploy-model")
    trainer = placed(documents, "train-detector")
    deployer["secretAsVolume"], trainer["secretAsVolume"] = (
        trainer["secretAsVolume"], deployer["secretAsVolume"],
    )  # fmt: skip


def mount(documents, job, secret, path=None):
    mounts = placed(documents, job).setdefault("secretAsVolume", [])
    mounts.append({"secretName": secret, "mountPath": path or f"/var/run/secrets/{secret}"})


def read_token_from_environment(documents):
    placed(documents, "judge-model")["secretAsEnv"] = [
        {"secretName": "car-deployer", "keyToEnv": [{"secretKey": "token", "envVar": "X"}]}
    ]


def run_beside_the_exit(documents):
    block = documents[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    documents[0]["root"]["dag"]["tasks"]["judge-model"] = block.pop("judge-model")


def say(documents, job, words):
    container(documents, job)["command"][2] = words + container(documents, job)["command"][2]


def give(documents, job, name, value):
    container(documents, job).setdefault("env", []).append({"name": name, "value": value})


KEY = "-----BEGIN " + "PRIVATE KEY-----"
RANDOM = "q7Zk2Lw9Xv4Tn8" + "Rb5Mc1"
HEX = "9f86d081884c7d659a2f" + "eaa0c55ad015"

# What a person might do to the train pipeline, the rule that notices, and a word of what is said.
CHANGES = {
    "another's image": ("image", "deploy-model", lambda d: container(d, "deploy-model").update(
        image="docker.io/library/python:3.11")),
    "our name elsewhere": ("image", "else.where/core", lambda d: container(
        d, "judge-model").update(image="else.where/core:dev")),
    "no image": ("image", "none", lambda d: container(d, "judge-model").update(image="")),
    "no tag": ("tag", "judge-model", lambda d: container(d, "judge-model").update(
        image="localhost:5000/car-detection/core")),
    "latest": ("tag", "latest", lambda d: container(d, "judge-model").update(
        image="localhost:5000/car-detection/core:latest")),
    "no memory": ("resources", "limit of memory is 0", lambda d: container(d, "judge-model")[
        "resources"].update(resourceMemoryLimit="0")),
    "root": ("root", "train heir", lambda d: placed(d, "train-detector").pop("securityContext")),
    "maybe root": ("root", "judge-model", lambda d: placed(d, "judge-model")[
        "securityContext"].update(runAsNonRoot=False)),
    "user 0": ("root", "user 0", lambda d: placed(d, "judge-model")[
        "securityContext"].update(runAsUser="0")),
    "no retry": ("retry", "recorded/better/approved/deploy-model", lambda d: task(
        d, "deploy-model").pop("retryPolicy")),
    "retry never": ("retry", "0 times", lambda d: task(
        d, "register-model")["retryPolicy"].update(maxRetryCount=0)),
    "no timeout": ("timeout", "export heir", lambda d: placed(d, "export-onnx").pop(
        "activeDeadlineSeconds")),
    "timeout 0": ("timeout", "judge-model", lambda d: placed(d, "judge-model").update(
        activeDeadlineSeconds="0")),
    "cached deployment": ("cache", "better/approved/deploy-model", lambda d: task(
        d, "deploy-model").update(cachingOptions={"enableCache": True})),
    "cached ending": ("cache", "record-outcome", lambda d: task(
        d, "record-outcome").update(cachingOptions={"enableCache": True})),
    "caching left open": ("cache", "register-model", lambda d: task(
        d, "register-model").pop("cachingOptions")),
    "DSN as default": ("secret", "root.inputDefinitions.parameters.dataset", lambda d: parameter(
        d, "dataset").update(defaultValue="postgresql://cars:hunter2@db/cars")),
    "DSN in a program": ("secret", "executors.exec-judge-model", lambda d: say(
        d, "judge-model", "# postgresql://cars:hunter2@db/cars\n")),
    "AWS key": ("secret", "AWS", lambda d: give(
        d, "judge-model", "WHO", "AKIA" + "IOSFODNN7EXAMPLE")),
    "private key": ("secret", "private key", lambda d: say(d, "judge-model", KEY)),
    "bearer token": ("secret", "a token", lambda d: give(
        d, "judge-model", "H", "eyJhbGciOiJIUzI1" + ".eyJzdWIiOiIxMjM0")),
    "random default": ("secret", "random", lambda d: parameter(d, "launcher").update(
        defaultValue=RANDOM)),
    "random constant": ("secret", "random", lambda d: task(d, "train-detector")["inputs"][
        "parameters"]["start"]["runtimeValue"].update(constant=HEX)),
    "random variable": ("secret", "random", lambda d: give(d, "judge-model", "SALT", HEX)),
    "random literal": ("secret", "random", lambda d: say(d, "judge-model", f'x = "{RANDOM}"\n')),
    "named variable": ("secret", "DB_PASSWORD", lambda d: give(
        d, "judge-model", "DB_PASSWORD", "cars")),
    "named parameter": ("secret", "api_key", lambda d: d[0]["root"]["inputDefinitions"][
        "parameters"].update(api_key={"defaultValue": "", "description": "Why not."})),
    "pip": ("install", "judge-model", lambda d: say(
        d, "judge-model", "python3 -m pip install --quiet --no-warn-script-location 'boto3' && ")),
    "pip from a program": ("install", "judge-model", lambda d: say(
        d, "judge-model", 'subprocess.run(["pip", "install", "boto3"])\n')),
    "apt": ("install", "judge-model", lambda d: say(d, "judge-model", "apt-get -y install gcc; ")),
    "the wrong account": ("mount", "car-launcher, expected car-deployer", swap_accounts),
    "no account": ("mount", "no secret, expected car-launcher", lambda d: placed(
        d, "train-detector-2").pop("secretAsVolume")),
    "an account too many": ("mount", "judge-model mounts car-trigger", lambda d: mount(
        d, "judge-model", "car-trigger")),
    "an account elsewhere": ("mount", "car-deployer at /tmp", lambda d: mount(
        d, "deploy-model", "car-deployer", "/tmp")),
    "a token in the environment": ("mount", "environment", read_token_from_environment),
    "no exit": ("exit", "0 tasks", lambda d: d[0]["root"]["dag"]["tasks"].pop("record-outcome")),
    "exit only after success": ("exit", "0 tasks", lambda d: task(
        d, "record-outcome").pop("triggerPolicy")),
    "a task beside the exit": ("exit", "0 tasks", run_beside_the_exit),
    "no default": ("parameter", "parameter seed has no default", lambda d: parameter(
        d, "seed").pop("defaultValue")),
    "no description": ("parameter", "parameter seed has no description", lambda d: parameter(
        d, "seed").update(description=" ")),
    "no platform": ("timeout", "hang", lambda d: d.pop()),
}  # fmt: skip


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

    assert "recorded/each/named/deploy-model" in paths


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
        with dsl.ExitHandler(light(record_outcome(pipeline="installs")), name="recorded"):
            light(installing())

    compiler.Compiler().compile(graph, str(tmp_path / "graph.yaml"))

    found = findings(Compiled.read(tmp_path / "graph.yaml"))
    assert [(f.rule, f.where) for f in found] == [("install", "recorded/installing")]


@pytest.mark.parametrize("text", ["", "a: [", "kind: Pod\n", "- 1\n"], ids=repr)
def test_what_is_no_compiled_pipeline_is_refused(text, tmp_path):
    (tmp_path / "p.yaml").write_text(text)

    with pytest.raises(Refusal, match=r"p\.yaml is no"):
        lint([str(tmp_path / "p.yaml")])


def test_the_command_compiles_lints_and_says_what_it_saw():
    passed = subprocess.run(
        [sys.executable, "-m", "pipelines", "lint"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert re.fullmatch(r"\d+ pipelines, \d+ tasks, 12 rules: no findings\n", passed.stdout)


def test_a_finding_is_a_line_and_an_exit_code(train, tmp_path, capsys):
    placed(train, "deploy-model").pop("activeDeadlineSeconds")
    (tmp_path / "train.yaml").write_text(yaml.safe_dump_all(train))

    code = lint([str(tmp_path / "train.yaml")])

    line, summary = capsys.readouterr().out.splitlines()
    assert code == 1
    assert line.endswith(
        "train.yaml: [timeout] recorded/better/approved/deploy-model may hang for ever, "
        "expected activeDeadlineSeconds above 0"
    )
    assert summary.endswith("12 rules: 1 finding")
