"""How a run ended, as the task inside it finds out from Kubeflow Pipelines 2.17."""

import pytest
from kfp import compiler, dsl

from components.images import image
from components.monitoring.record_outcome import outcome as module
from components.monitoring.record_outcome.component import record_outcome
from components.shared.kubeflow.client import connect as connect_host
from components.shared.store.postgres import connect
from tests.standins.argo_workflow import Ends
from tests.standins.kubeflow_pipelines import KubeflowPipelines
from tests.standins.pipelines_http import Refused
from tests.support.kubeflow import forget_settings, start_run

UNDER_WAY = {"record-outcome": Ends("Running")}
LOG = "Traceback (most recent call last):\ncomponents.shared.contracts.errors.UserError: no disk\n"
BROKEN = UNDER_WAY | {"look": Ends("Failed", LOG, "Error (exit code 1)")}
NOT_TAKEN = UNDER_WAY | {"condition-2": Ends("Skipped")}


@dsl.component(base_image=image("core"), install_kfp_package=False)
def look() -> bool:
    """Look whether there is something to do."""
    return False


@dsl.component(base_image=image("core"), install_kfp_package=False)
def act():
    """Do it."""


@dsl.pipeline(name="short")
def short():
    ended = record_outcome(pipeline="watch", run=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
    with dsl.ExitHandler(ended):
        looked = look().set_display_name("look around")
        with dsl.If(looked.output == True):  # noqa: E712 (kfp DSL)
            act()


@pytest.fixture
def kubeflow(monkeypatch):
    forget_settings(monkeypatch)
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    with KubeflowPipelines() as host:
        yield host


@pytest.fixture
def run(kubeflow, tmp_path):
    """The id of a run of the short pipeline."""
    file = str(tmp_path / "short.yaml")
    compiler.Compiler().compile(short, file)
    return str(start_run(connect_host(kubeflow.url), file, "short").run_id)


@pytest.fixture
def recorded(kubeflow, run, database, monkeypatch):
    """Run the recording task in a run that came as far as its tasks do; return the row."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("KFP_HOST", kubeflow.url)

    def record(ends, state=""):
        workflow = kubeflow.play(run, ends, state)
        told = workflow.final_status(canceling=state == "CANCELING")
        status = dsl.PipelineTaskFinalStatus(
            told["state"], told["pipelineJobResourceName"], told["pipelineTaskName"], None, None
        )
        record_outcome.python_func("watch", status, run)
        connection = connect(database)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT state, reason FROM registry.outcomes WHERE run_id = %s", (run,))
            (row,) = cursor.fetchall()
        connection.close()
        return told["state"], *row

    return record


@pytest.mark.parametrize("v1beta1", [True, False], ids=["with the workflow", "by its details"])
@pytest.mark.parametrize(
    ("ends", "handed", "state", "reason"),
    [
        (UNDER_WAY, "COMPLETE", "SUCCEEDED", ""),
        (NOT_TAKEN, "RUNNING", "SUCCEEDED", ""),
        (BROKEN, "FAILED", "FAILED", "look around: no disk"),
    ],
    ids=["all done", "a condition not taken", "a task failed"],
)
def test_pipelines_2_17_hands_on_a_state_of_its_store_and_the_api_tells_the_runs(
    recorded, kubeflow, v1beta1, ends, handed, state, reason
):
    kubeflow.v1beta1 = v1beta1

    assert recorded(ends) == (handed, state, reason)


def test_a_run_that_somebody_terminates_is_recorded_as_canceled(recorded):
    assert recorded(BROKEN, "CANCELING")[1:] == ("CANCELED", "")


def test_what_the_api_does_not_know_yet_is_waited_for(recorded, kubeflow, run):
    seen = []

    def later(verb, path):
        if path.endswith(f"v2beta1/runs/{run}"):
            seen.append(path)
            kubeflow.play(run, BROKEN if len(seen) > 2 else {"look": Ends("Running")})

    kubeflow.before = later

    assert recorded(BROKEN)[1:] == ("FAILED", "look around: no disk")
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("ends", "state"), [(BROKEN, "FAILED"), (NOT_TAKEN, "RUNTIME_STATE_UNSPECIFIED")]
)
def test_a_host_that_does_not_answer_is_waited_for_and_then_said(
    recorded, kubeflow, monkeypatch, ends, state
):
    monkeypatch.setitem(module.ended.__kwdefaults__, "patience", 0.05)
    monkeypatch.setenv("KFP_HOST", "http://127.0.0.1:1")

    _, stored, reason = recorded(ends)

    assert stored == state
    assert "does not answer" in reason


@pytest.mark.parametrize(
    ("fault", "told"),
    [(Refused(403, "no"), "answers 403: no"), (ConnectionAbortedError(), "does not answer")],
)
def test_a_run_whose_log_cannot_be_read_has_failed_all_the_same(
    recorded, kubeflow, monkeypatch, fault, told
):
    monkeypatch.setitem(module.ended.__kwdefaults__, "patience", 0.05)

    def refuse(verb, path):
        if path.endswith("/log"):
            raise fault

    kubeflow.before = refuse
    _, stored, reason = recorded(BROKEN)

    assert stored == "FAILED"
    assert reason.startswith("the reason could not be read: log of look around: http")
    assert told in reason


def test_a_host_that_never_knows_is_not_waited_for_for_ever(recorded, monkeypatch):
    monkeypatch.setitem(module.ended.__kwdefaults__, "patience", 0.05)

    _, stored, reason = recorded(UNDER_WAY | {"look": Ends("Running")})

    assert stored == "RUNTIME_STATE_UNSPECIFIED"
    assert "no final state of exit-handler-1" in reason
