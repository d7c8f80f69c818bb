"""What `logs` and `wait` tell of a run, as Kubeflow Pipelines 2.17 describes it."""

import json
import time

import pytest

from components.shared.contracts.errors import UserError
from components.shared.kubeflow.client import connect
from pipelines.graphs import write_package
from pipelines.kubeflow import runs
from tests.standins.argo_workflow import NO_EXECUTION, Ends
from tests.standins.pipelines_http import Refused
from tests.support.kubeflow import start_run

REFUSED = """reading 600 images
Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
components.shared.contracts.errors.UserError: 3 images are undecodable, expected JPEGs
"""
FAILED = {"train-detector-2": Ends("Failed", REFUSED, "Error (exit code 1)")}
WAITS = "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu"
PENDING = {"train-detector": Ends("Pending", message=WAITS)}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return write_package("train", tmp_path_factory.mktemp("packages"))


@pytest.fixture
def run(client, package):
    return runs.find(client, start_run(client, package, "train-yard").run_id)


@pytest.fixture
def told(run, kubeflow, command, capsys):
    """Let a run come as far as its tasks do; return the exit code of `logs` and its lines."""

    def tell(ends=None, state=""):
        kubeflow.play(run.id, ends, state)
        capsys.readouterr()
        code = command("logs", run.name)
        return code, capsys.readouterr().out.splitlines()

    return tell


def heads(lines):
    return [line.split(" s ", 1)[1].strip() for line in lines if line.startswith("  SUCC")]


@pytest.mark.parametrize("v1beta1", [True, False], ids=["with the workflow", "by its details"])
def test_why_a_run_failed_stands_first_with_the_tasks_name(told, kubeflow, v1beta1):
    kubeflow.v1beta1 = v1beta1

    code, lines = told(FAILED)

    assert code == 1
    assert lines[0].endswith(" FAILED")
    assert lines[1] == "  train from scratch: 3 images are undecodable, expected JPEGs"
    assert sum("undecodable" in line for line in lines) == 2  # and once in the task's log


@pytest.mark.parametrize("v1beta1", [True, False], ids=["with the workflow", "by its details"])
def test_each_container_task_has_one_entry_with_the_dashboards_name(told, kubeflow, v1beta1):
    kubeflow.v1beta1 = v1beta1

    code, lines = told({"condition-3": Ends("Skipped")})

    assert code == 0
    assert sorted(heads(lines)) == sorted([
        "fetch-model", "snapshot-dataset", "validate-dataset", "train fine tuned",
        "export fine tuned", "check fine tuned", "train from scratch",
        "export from scratch", "check from scratch",
        "evaluate-detector", "judge-model", "register-model", "record-outcome",
    ])  # fmt: skip


def test_a_log_has_the_tasks_own_last_lines_and_not_the_launchers(told):
    said = "\n".join(f"» epoch {number}" for number in range(1, 9))

    _, lines = told({"train-detector": Ends(log=said)})

    (head,) = (number for number, line in enumerate(lines) if line.endswith("train fine tuned"))
    assert lines[head + 1 : head + 4] == [f"      | » epoch {number}" for number in (6, 7, 8)]
    assert not [line for line in lines if "launcher" in line or "KFP Executor" in line]


def test_of_a_task_that_was_tried_again_the_last_attempt_is_shown(told):
    _, lines = told({"fetch-model": Ends(log="» found 3f", failed_attempts=1)})

    assert sum(line.endswith("» found 3f") for line in lines) == 1


def test_a_pod_that_was_killed_is_told_by_what_argo_says(told):
    killed = Ends("Failed", "» epoch 1 of 9", "OOMKilled (exit code 137)")

    _, lines = told({"train-detector": killed})

    assert lines[1] == "  train fine tuned: OOMKilled (exit code 137); » epoch 1 of 9"


def test_a_log_that_is_gone_is_said_so_and_no_answer_is_printed_as_one(told, kubeflow, run):
    workflow = kubeflow.play(run.id, FAILED)
    workflow.logs.clear()
    kubeflow.play = lambda *_: workflow

    code, lines = told(FAILED)

    assert code == 1
    assert lines[1] == "  train from scratch: Error (exit code 1)"
    assert "      | (its log is gone)" in lines
    assert "not found" not in "\n".join(lines)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_may_not_read_logs_is_told_so_and_no_log_counts_as_gone(
    run, kubeflow, command, capsys, status
):
    def refuse(verb, path):
        if path.endswith("/log"):
            raise Refused(status, "not yours")

    kubeflow.play(run.id, FAILED)
    kubeflow.before = refuse

    assert command("logs", run.name) == 2
    assert f"answers {status}: not yours (is KFP_TOKEN set" in capsys.readouterr().err


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_host_that_fails_at_a_log_is_said_and_no_log_counts_as_gone(
    run, kubeflow, command, capsys, status
):
    def fail(verb, path):
        if path.endswith("/log"):
            raise Refused(status, "upstream connect error")

    kubeflow.play(run.id, FAILED)
    kubeflow.before = fail

    assert command("logs", run.name) == 2
    told = capsys.readouterr()
    assert f"answers {status}: upstream connect error" in told.err
    assert "its log is gone" not in told.out


def test_a_log_that_later_pipelines_say_is_gone_by_status_500_is_gone(told, run, kubeflow):
    def gone(verb, path):
        if path.endswith("/log"):
            raise Refused(500, f'Failed to read logs for run {run.id}: pods "a" not found')

    kubeflow.before = gone
    code, lines = told(FAILED)

    assert code == 1
    assert lines[1] == "  train from scratch: Error (exit code 1)"
    assert "      | (its log is gone)" in lines


def test_a_driver_that_fails_is_told_as_its_task(told):
    broken = Ends(driver="Failed", log=NO_EXECUTION, message="Error (exit code 1)")

    code, lines = told({"evaluate-detector": broken})

    assert code == 1
    assert lines[1].startswith("  evaluate-detector: Error (exit code 1); failed to execute")
    assert "no execution found" in lines[1]


@pytest.mark.parametrize(
    ("state", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("CANCELED", 1), ("RUNNING", 124)]
)
def test_logs_has_the_exit_codes_of_wait(told, state, code):
    assert told(state=state)[0] == code


def test_an_unknown_run_is_refused_at_once(command, capsys):
    begin = time.monotonic()

    assert command("logs", "nobody") == 2
    assert "knows no run 'nobody'" in capsys.readouterr().err
    assert time.monotonic() - begin < 5


def test_a_run_is_found_by_its_id(client, run):
    assert runs.find(client, run.id).name == run.name


def test_the_logs_of_a_run_that_has_not_begun_are_its_state(run):
    assert run.logs().endswith(" PENDING")


def test_logs_and_wait_tell_why_a_pod_waits(told, run, command, capsys):
    code, lines = told(PENDING)

    assert code == 124
    assert lines[1] == f"  train fine tuned waits: {WAITS}"
    assert command("wait", run.name, "--timeout", "0.05", "--every", "0.01") == 124
    waited = capsys.readouterr().out.splitlines()
    assert waited == [f"{run.name} RUNNING", f"{run.name} train fine tuned waits: {WAITS}"]


def test_a_pod_that_only_starts_waits_for_nothing(told):
    _, lines = told({"train-detector": Ends("Pending", message="ContainerCreating")})

    assert not [line for line in lines if "waits" in line]


def test_a_host_without_the_workflow_says_no_reason(told, kubeflow):
    kubeflow.v1beta1 = False

    code, lines = told(PENDING)

    assert code == 124
    assert not [line for line in lines if "waits" in line]


def test_a_host_that_hangs_is_given_up_within_its_limit(kubeflow, run, command, monkeypatch):
    monkeypatch.setattr("components.shared.kubeflow.client.SECONDS", 1)
    client = connect(kubeflow.url)
    kubeflow.before = lambda verb, path: time.sleep(1)
    begin = time.monotonic()

    with pytest.raises(Exception, match="does not answer"):
        runs.find(client, "nobody")
    assert time.monotonic() - begin < 5


def test_the_manifest_and_the_details_of_a_run_name_the_same_nodes(kubeflow, run):
    from components.shared.kubeflow.nodes import from_details, from_workflow

    workflow = kubeflow.play(run.id, FAILED)
    details = run.refresh()._answer.run_details.task_details

    assert from_details(details).keys() == from_workflow(json.loads(workflow.manifest)).keys()


def test_a_run_is_found_by_its_id_on_a_host_that_does_not_filter_by_it(client, run, monkeypatch):
    monkeypatch.setattr("tests.standins.pipelines_http.FILTERS", ("display_name",))

    assert runs.find(client, run.id).name == run.name
    with pytest.raises(UserError, match="knows no run 'nobody'"):
        runs.find(client, "nobody")
