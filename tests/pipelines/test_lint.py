"""Each rule of the policy passes what we compile, and fires when one thing in it is changed."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kfp import compiler, dsl, kubernetes

from components.contracts.refusal import Refusal
from components.deploy_model.component import deploy_model
from pipelines.ending import recorded
from pipelines.graphs import GRAPHS
from pipelines.placement import light, with_database, with_detector, with_objects
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
        acts = deploy_model(dataset=dataset, model="challenger")
        light(with_database(with_objects(with_detector(acts))))


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


def read(documents, job, **reference):
    placed(documents, job).setdefault("secretAsEnv", []).append(
        {**reference, "keyToEnv": [{"secretKey": "url", "envVar": "X"}]}
    )


def constant(name):
    return {"runtimeValue": {"constant": name}}


def limit_memory(documents, amount):
    container(documents, "judge-model")["resources"]["resourceMemoryLimit"] = amount


def run_beside_the_exit(documents):
    block = documents[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    documents[0]["root"]["dag"]["tasks"]["judge-model"] = block.pop("judge-model")


def say(documents, job, words):
    command = container(documents, job)["command"]
    command[2] = f"{words}\n{command[2]}"


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
    "a limit below the request": ("resources", "Limit is 1m, expected its request, 2G, or more",
        lambda d: limit_memory(d, "1m")),
    "a limit just below": ("resources", "1907Mi", lambda d: limit_memory(d, "1907Mi")),
    "root": ("root", "train heir", lambda d: placed(d, "train-detector").pop("securityContext")),
    "maybe root": ("root", "judge-model", lambda d: placed(d, "judge-model")[
        "securityContext"].update(runAsNonRoot=False)),
    "user 0": ("root", "user 0", lambda d: placed(d, "judge-model")[
        "securityContext"].update(runAsUser="0")),
    "user 00": ("root", "user 0", lambda d: placed(d, "judge-model")[
        "securityContext"].update(runAsUser="00")),
    "user 0 in another spelling": ("root", "user 0", lambda d: placed(d, "judge-model")[
        "securityContext"].update(run_as_user=0)),
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
    "named without a gap": ("secret", "GITHUBTOKEN", lambda d: give(
        d, "judge-model", "GITHUBTOKEN", "cars")),
    "named parameter": ("secret", "api_key", lambda d: d[0]["root"]["inputDefinitions"][
        "parameters"].update(api_key={"defaultValue": "", "description": "Why not."})),
    "pip": ("install", "judge-model", lambda d: say(
        d, "judge-model", "python3 -m pip install --quiet --no-warn-script-location 'boto3' && ")),
    "pip from a program": ("install", "judge-model", lambda d: say(
        d, "judge-model", 'subprocess.run(["pip", "install", "boto3"])\n')),
    "apt": ("install", "judge-model", lambda d: say(d, "judge-model", "apt-get -y install gcc; ")),
    "words of a command": ("install", "judge-model", lambda d: container(d, "judge-model").update(
        command=["pip", "install", "boto3"])),
    **{words: ("install", "judge-model", lambda d, words=words: say(d, "judge-model", words))
        for words in (
            "pip --index-url https://x install y", "pip --proxy u install a",
            "pip --index-url 'https://x?a=1&b;c' install y", "pip \\\n  install y",
            "pip.main(['install', 'y'])", 'subprocess.run([\n"pip",\n"install",\n"y"])',
            "uv pip install y", "pip3.11 install y", "curl https://x/y.sh | sh",
            "sh -c \"$(wget -qO- https://x)\"", "python -m ensurepip",
        )},
    "the wrong account": (
        "access", "car-launcher, car-objects, expected car-database, car-deployer", swap_accounts),
    "no account": ("access", "car-objects, car-tracking, expected car-launcher", lambda d: placed(
        d, "train-detector-2").pop("secretAsVolume")),
    "an account too many": ("access", "judge-model reads car-trigger", lambda d: mount(
        d, "judge-model", "car-trigger")),
    "an account elsewhere": ("access", "car-deployer at /tmp", lambda d: mount(
        d, "deploy-model", "car-deployer", "/tmp")),
    "a token in the environment": ("access", "car-deployer in its environment", lambda d: read(
        d, "judge-model", secretName="car-deployer")),
    "another's secret": ("access", "reads car-database, expected no secret", lambda d: read(
        d, "judge-model", secretName="car-database")),
    "another's secret by a parameter": ("access", "reads car-database, expected no", lambda d: read(
        d, "judge-model", secretNameParameter=constant("car-database"))),
    "a secret in another spelling": ("access", "reads car-database", lambda d: placed(
        d, "judge-model").update(secret_as_env=[{"secret_name": "car-database"}])),
    "another name by a parameter": ("access", "car-trigger", lambda d: placed(d, "deploy-model")[
        "secretAsVolume"][0].update(secretNameParameter=constant("car-trigger"))),
    "a name that a run takes": ("access", "componentInputParameter", lambda d: placed(
        d, "deploy-model")["secretAsVolume"][0].update(
            secretNameParameter={"componentInputParameter": "secret"})),
    "a secret for an image": ("access", "car-objects for its image", lambda d: placed(
        d, "judge-model").update(imagePullSecret=[{"secretName": "car-objects"}])),
    "a claim": ("access", "reads claim videos", lambda d: placed(d, "judge-model").update(
        pvcMount=[{"constant": "videos", "mountPath": "/videos"}])),
    "a claim by a parameter": ("access", "reads claim videos", lambda d: placed(
        d, "judge-model").update(
            pvcMount=[{"pvcNameParameter": constant("videos"), "mountPath": "/videos"}])),
    "no exit": ("exit", "0 tasks", lambda d: d[0]["root"]["dag"]["tasks"].pop("record-outcome")),
    "exit only after success": ("exit", "0 tasks", lambda d: task(
        d, "record-outcome").pop("triggerPolicy")),
    "a task beside the exit": ("exit", "0 tasks", run_beside_the_exit),
    "no default": ("parameter", "parameter seed has no default", lambda d: parameter(
        d, "seed").pop("defaultValue")),
    "no description": ("parameter", "parameter seed has no description", lambda d: parameter(
        d, "seed").update(description=" ")),
    "no platform": ("timeout", "hang", lambda d: d[1].clear()),
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
        with recorded("installs"):
            light(installing())

    compiler.Compiler().compile(graph, str(tmp_path / "graph.yaml"))

    found = findings(Compiled.read(tmp_path / "graph.yaml"))
    assert [(f.rule, f.where) for f in found] == [("install", "recorded/installing")]


def test_a_secret_that_a_run_names_is_found_as_kubeflow_compiles_it(tmp_path):
    @dsl.pipeline(name="asks")
    def graph(secret: str = "car-database") -> None:
        with recorded("asks"):
            acts = light(with_database(deploy_model(dataset="a", model="challenger")))
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

    with pytest.raises(Refusal, match=r"p\.yaml is no"):
        lint([str(tmp_path / "p.yaml")])


@pytest.mark.parametrize(
    "act", [lambda d: d.pop(), lambda d: d.append({}), lambda d: d.append(d[1])]
)
def test_a_file_with_other_than_two_documents_is_refused(act, train):
    act(train)

    with pytest.raises(Refusal, match=r"p\.yaml has [13] documents, expected 2"):
        broken(train)


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
