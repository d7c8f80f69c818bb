"""A task as Kubeflow starts it: outages, refusals and accounts, through KFP's own entry point."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from kfp import dsl

from components.shared.contracts.errors import UserError
from components.task import check_account, expected_account, forget_outputs, local_name
from pipelines.placement import light

ROOT = Path(__file__).parents[2]

AT_ONCE = (
    "import sys; from components.task import main; "
    "from components.shared.contracts.policy import OutagePolicy; "
    "sys.exit(main(sys.argv[1:], OutagePolicy(min_wait_s=0)))"
)
FLAKY = """
def flaky(made: dsl.Output[dsl.Dataset]) -> str:
    from pathlib import Path

    from obstore.exceptions import GenericError

    Path(made.path).mkdir(parents=True)
    counter = Path("COUNTER")
    counter.write_text(f"{counter.read_text() if counter.exists() else ''}x")
    if len(counter.read_text()) < 3:
        raise GenericError("the object store is away")
    return counter.read_text()
"""
REFUSING = """
def refusing() -> str:
    from components.shared.contracts.errors import UserError

    raise UserError("image size is 300, expected a multiple of 32")
"""

BROKEN = """
def broken() -> str:
    from components.shared.contracts.progress import log_progress

    log_progress("half done")
    raise AssertionError("no")
"""

LACKING = """
def lacking() -> str:
    import os

    return os.environ["NOT_GIVEN"]
"""


@pytest.fixture
def start(tmp_path):
    """Start a function as the launcher of Pipelines does; return the process and its output."""

    def run(source, name, artifacts=()):
        module = tmp_path / "ephemeral_component.py"
        module.write_text(f"from kfp import dsl\nfrom kfp.dsl import *\n{source}")
        told = {
            "inputs": {},
            "outputs": {
                "parameters": {"Output": {"outputFile": str(tmp_path / "Output")}},
                "artifacts": {
                    one: {
                        "artifacts": [
                            {"name": one, "uri": str(tmp_path / one),
                             "type": {"schemaTitle": "system.Dataset"}, "metadata": {}}
                        ]
                    }
                    for one in artifacts
                },
                "outputFile": str(tmp_path / "executor_output.json"),
            },
        }  # fmt: skip
        words = ["--component_module_path", str(module), "--executor_input", json.dumps(told),
                 "--function_to_execute", name]  # fmt: skip
        return subprocess.run(
            [sys.executable, "-c", AT_ONCE, "kfp.dsl.executor_main", *words],
            cwd=ROOT, capture_output=True, text=True, timeout=120,
            env={**os.environ, "_KFP_RUNTIME": "true"},
        )  # fmt: skip

    return run


def test_a_task_waits_for_an_outage_in_its_own_process(start, tmp_path):
    source = FLAKY.replace("COUNTER", str(tmp_path / "counter"))
    ended = start(source, "flaky", ["made"])

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("the object store is away; attempt") == 2
    assert json.loads((tmp_path / "executor_output.json").read_text())["parameterValues"] == {
        "Output": "xxx"
    }


def test_a_refusal_is_one_line_and_no_traceback(start):
    ended = start(REFUSING, "refusing")

    assert ended.returncode == 2
    assert "Traceback" not in ended.stdout + ended.stderr
    assert ended.stderr == (
        "components.shared.contracts.errors.UserError: "
        "image size is 300, expected a multiple of 32\n"
    )


def progress_of(process):
    lines = (line for line in process.stdout.splitlines() if line.startswith("»"))
    return [re.sub(r" \d+\]", "]", line, count=1) for line in lines]


def test_on_this_machine_a_task_says_its_own_name_and_why_it_failed(start, tmp_path):
    refusing, broken = start(REFUSING, "refusing"), start(BROKEN, "broken")

    assert progress_of(refusing) == [
        f"» [{tmp_path.name}] failed: image size is 300, expected a multiple of 32"
    ]
    assert progress_of(broken) == [
        f"» [{tmp_path.name}] half done",
        f"» [{tmp_path.name}] failed: AssertionError: no",
    ]
    assert "Traceback" in broken.stderr


def test_a_task_in_a_pod_has_a_log_of_its_own_and_needs_no_name(tmp_path):
    told = {"outputs": {"outputFile": str(tmp_path / "executor_output.json")}}
    options = ["--executor_input", json.dumps(told)]

    assert local_name(options, {}) == tmp_path.name
    assert local_name(options, {"KFP_POD_NAME": "train-1"}) == ""
    assert local_name([], {}) == ""


def test_what_the_environment_lacks_is_one_line_and_a_failure_has_its_own_code(start):
    lacking = start(LACKING, "lacking")
    failing = start(REFUSING.replace("UserError", "JobError"), "refusing")

    assert lacking.returncode == 2
    assert lacking.stderr == "builtins.KeyError: the environment lacks 'NOT_GIVEN'\n"
    assert failing.returncode == 1
    told = "components.shared.contracts.errors.JobError: image size is 300"
    assert failing.stderr.startswith(told)


def test_a_file_that_is_not_there_keeps_its_traceback(start):
    ended = start(LACKING.replace('os.environ["NOT_GIVEN"]', 'open("no/such.file").read()'),
                  "lacking")  # fmt: skip

    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
    assert "no/such.file" in ended.stderr


def test_the_outputs_of_a_failed_attempt_are_removed(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/half").write_text("half")
    (tmp_path / "file").write_text("half")
    outputs = {
        name: {"artifacts": [{"uri": str(tmp_path / name)}]} for name in ("folder", "file", "none")
    }

    forget_outputs(["--executor_input", json.dumps({"outputs": {"artifacts": outputs}})])

    assert list(tmp_path.iterdir()) == []


def token_of(account, tmp_path):
    """Write a token as Kubernetes 1.34 mounts it, and return its file."""
    payload = {"iss": "https://kubernetes.default.svc", "sub": account}
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, payload, {})]
    file = tmp_path / "token"
    file.write_text(".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts))
    return file


def test_a_run_under_the_dashboard_s_default_account_is_refused_in_one_sentence(tmp_path):
    token = token_of("system:serviceaccount:kubeflow:pipeline-runner", tmp_path)

    with pytest.raises(UserError) as refused:
        check_account("car-pipeline", token)

    assert str(refused.value) == (
        "this run acts as the service account 'pipeline-runner', expected 'car-pipeline': start "
        "it again with car-pipeline under Service account"
    )


@pytest.mark.parametrize(
    ("expected", "account"),
    [
        ("car-pipeline", "system:serviceaccount:cars:car-pipeline"),
        ("", "system:serviceaccount:cars:pipeline-runner"),
        ("car-pipeline", "jane@example.com"),
    ],
)
def test_our_account_and_what_is_no_account_may_work(expected, account, tmp_path):
    check_account(expected, token_of(account, tmp_path))


def test_where_there_is_no_token_anyone_may_work(tmp_path):
    check_account("car-pipeline", tmp_path / "token")


def test_a_pod_of_pipelines_is_asked_for_its_account_and_any_other_pod_is_not():
    compiled = {"TASK_ACCOUNT": "car-pipeline"}  # kfp.local hands it on as well

    assert expected_account({**compiled, "KFP_POD_NAME": "train-1-impl-7"}) == "car-pipeline"
    assert expected_account(compiled) == ""
    assert expected_account({"KFP_POD_NAME": "train-1-impl-7"}) == ""


def test_every_task_but_the_last_says_whose_account_it_needs():
    @dsl.component(base_image="core", install_kfp_package=False)
    def judge() -> str:
        return ""

    @dsl.pipeline(name="one")
    def graph() -> None:
        light(judge())

    (executor,) = graph.pipeline_spec.deployment_spec["executors"].values()
    assert {"name": "TASK_ACCOUNT", "value": "car-pipeline"} in [
        dict(one) for one in executor["container"]["env"]
    ]
