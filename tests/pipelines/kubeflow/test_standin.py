"""What the stand-in for Kubeflow Pipelines knows of the real one, rule by rule."""

import json

import httpx
import pytest

from components.shared.kubeflow.nodes import from_details, from_workflow, node_id
from pipelines.graphs import write_package
from tests.standins.argo_workflow import Ends, Workflow, identity
from tests.support.kubeflow import start_run

# Names and ids of a run of Pipelines 2.16 that was published with its workflow.
SEEN = {
    "general-cpu-rnggt": "general-cpu-rnggt",
    "general-cpu-rnggt.root-driver": "general-cpu-rnggt-3519902132",
    "general-cpu-rnggt.root": "general-cpu-rnggt-4293776163",
    "general-cpu-rnggt.root.workspace-name": "general-cpu-rnggt-3375089848",
    "general-cpu-rnggt.root.workspace-name.executor": "general-cpu-rnggt-807657059",
    "general-cpu-rnggt.root.workspace-name.executor(0)": "general-cpu-rnggt-1467617326",
    "general-cpu-rnggt.root.workspace-name.onExit": "general-cpu-rnggt-844071179",
    "general-cpu-rnggt.root.workspace-name.onExit.close-driver": "general-cpu-rnggt-1471979654",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return write_package("watch", tmp_path_factory.mktemp("packages"))


@pytest.fixture
def run(client, package):
    return start_run(client, package, "watch")


def log(kubeflow, run, node):
    return httpx.get(f"{kubeflow.url}/apis/v1alpha1/runs/{run.run_id}/nodes/{node}/log")


@pytest.mark.parametrize(("name", "id_"), SEEN.items())
def test_an_argo_id_is_a_hash_of_the_nodes_name_as_a_run_of_pipelines_2_16_shows(name, id_):
    assert identity("general-cpu-rnggt", name) == node_id("general-cpu-rnggt", name) == id_


def test_pipelines_2_17_lists_every_argo_node_as_a_task(client, kubeflow, run):
    workflow = kubeflow.play(run.run_id)

    details = client.get_run(run.run_id).run_details.task_details

    named = [one.display_name for one in details]
    assert {"root", "root-driver", "fetch-model", "fetch-model-driver", "executor(0)"} <= set(named)
    assert named.count("executor") == 6
    assert {one.pod_name for one in details} == {None}
    assert from_details(details).keys() == from_workflow(json.loads(workflow.manifest)).keys()


def test_pipelines_2_16_gives_a_task_that_was_omitted_no_state(client, kubeflow, run):
    kubeflow.play(run.run_id, {"extract-window": Ends("Failed")})

    details = client.get_run(run.run_id).run_details.task_details

    assert {one.state for one in details if one.display_name == "detect-drift"} == {None}


def test_pipelines_2_16_keeps_logs_under_the_names_of_pods(kubeflow, run):
    workflow = kubeflow.play(run.run_id, {"fetch-model": Ends(log="found it")})
    name = f"{workflow.name}.root.exit-handler-1.fetch-model.executor(0)"
    id_ = workflow.nodes[name]["id"]
    pod = f"{workflow.name}-retry-system-container-impl-{id_.rpartition('-')[2]}"

    assert "found it" in log(kubeflow, run, pod).text
    assert "error_message" in log(kubeflow, run, id_).text


def test_pipelines_2_17_says_with_status_200_that_a_log_is_not_there(kubeflow, run):
    workflow = kubeflow.play(run.run_id)

    answer = log(kubeflow, run, workflow.nodes[f"{workflow.name}.root"]["id"])

    assert answer.status_code == 200
    assert "not found" in answer.json()["error_message"]


def test_pipelines_2_17_refuses_an_artifact_twice_in_the_tasks_driver():
    same = {"taskOutputArtifact": {"producerTask": "make", "outputArtifactKey": "package"}}
    make = {"componentRef": {"name": "comp"}, "taskInfo": {"name": "make"}}
    compare = {
        "dependentTasks": ["make"],
        "inputs": {"artifacts": {"one": same, "other": same}},
    }
    spec = {
        "root": {"dag": {"tasks": {"make": make, "compare": make | compare}}},
        "components": {"comp": {"executorLabel": "exec"}},
    }

    workflow = Workflow("twice", spec, {})

    driver = workflow.nodes["twice.root.compare-driver"]
    assert (driver["phase"], workflow.nodes["twice"]["phase"]) == ("Failed", "Failed")
    assert "no execution found" in workflow.logs[workflow.pod(driver["name"])]
    assert "name=''" in workflow.logs[workflow.pod(driver["name"])]


def test_pipelines_2_17_refuses_what_is_none_of_a_parameters_literals(client, kubeflow, run):
    experiment = client.create_experiment("x").experiment_id
    spec = kubeflow.spec_of(kubeflow.runs[run.run_id])
    spec["root"]["inputDefinitions"]["parameters"]["approval"]["literals"] = ["auto", "manual"]
    body = {"display_name": "x", "experiment_id": experiment, "pipeline_spec": spec}

    codes = [
        httpx.post(
            f"{kubeflow.url}/apis/v2beta1/runs",
            json=body | {"runtime_config": {"parameters": {"approval": word}}},
        ).status_code
        for word in ("auto", "sometimes")
    ]

    assert codes == [200, 400]


def test_pipelines_2_17_runs_as_pipeline_runner_and_catches_up_by_default(
    client, kubeflow, run, package
):
    experiment = client.create_experiment("x").experiment_id
    made = client.create_recurring_run(
        experiment, "x", cron_expression="@daily", pipeline_package_path=str(package)
    )

    assert kubeflow.runs[run.run_id]["service_account"] == "pipeline-runner"
    kept = kubeflow.recurringRuns[made.recurring_run_id]
    assert (kept["service_account"], kept.get("no_catchup")) == ("pipeline-runner", None)


def test_a_run_that_is_terminated_is_canceling_first(client, kubeflow, run):
    client.terminate_run(run.run_id)

    assert kubeflow.runs[run.run_id]["state"] == "CANCELING"
