import time

import pytest

from components.monitoring.submit_training.component import submit_training
from components.monitoring.submit_training.submit import starter
from components.shared.contracts.errors import UserError
from components.shared.kubeflow.client import HostError, connect
from components.shared.kubeflow.runs import train_once
from pipelines.kubeflow import runs, versions
from pipelines.kubeflow.host import Host
from pipelines.kubeflow.runs import RunTimeoutError
from pipelines.parameters import defaults
from tests.standins.pipelines_http import Refused

CREATE = ("POST", "/apis/v2beta1/runs")
SOON = {"every": 0.01}


@pytest.fixture
def submit(client, uploaded, checkout):
    return lambda **given: runs.submit(client, "train", {"dataset": "yard", **given}, root=checkout)


@pytest.fixture
def answered_then(kubeflow):
    """Let a run go on after it was asked for a few times."""

    def arrange(run, *states):
        rest = iter(states)

        def go_on(verb, path):
            if path.endswith(run.id) and (state := next(rest, None)):
                kubeflow.finish(run.id, state)

        kubeflow.before = go_on

    return arrange


def test_a_run_is_of_the_newest_version_with_all_its_parameters(submit, kubeflow, uploaded):
    run = submit(seed=3)

    kept = kubeflow.runs[run.id]
    assert kept["pipeline_version_reference"]["pipeline_version_id"] == uploaded[0].version.id
    assert kept["runtime_config"]["parameters"] == {
        "dataset": "yard", "epochs": "auto", "image_size": 320, "seed": 3, "workers": 2,
        "launcher": "local", "approval": "auto", "grow_test": False, "recipe": "",
        "served_precision": "float32", "suppression": "outside",
    }  # fmt: skip
    assert kept["service_account"] == "car-pipeline"
    assert run.name.startswith("train-yard-")


def test_the_same_run_is_found_and_not_started_again(submit, kubeflow):
    first = submit(seed=3)
    second = submit(seed=3)

    assert (second.id, second.was_there, first.was_there) == (first.id, True, False)
    assert kubeflow.changes().count(CREATE) == 1


def test_what_is_left_out_is_the_default(submit):
    assert submit().id == submit(seed=0, approval="auto").id


def test_other_parameters_are_another_run(submit):
    assert submit(seed=3).name != submit(seed=4).name


def test_another_version_is_another_run(submit, client, checkout):
    first = submit()
    (checkout / "file").write_text("two\n")
    versions.upload(client, "train", allow_dirty=True, allow_tags=True, root=checkout)

    assert submit().name != first.name


def test_an_older_version_can_be_run_by_its_name(client, uploaded, checkout, kubeflow):
    (checkout / "file").write_text("two\n")
    versions.upload(client, "train", allow_dirty=True, allow_tags=True, root=checkout)

    run = runs.submit(client, "train", {}, version=uploaded[0].version.name)

    reference = kubeflow.runs[run.id]["pipeline_version_reference"]
    assert reference["pipeline_version_id"] == uploaded[0].version.id


def test_a_version_that_is_not_there_is_refused(client, uploaded):
    with pytest.raises(UserError, match="has no version 'x'"):
        runs.submit(client, "train", {}, version="x")


def test_another_of_the_same_has_a_number(client, submit):
    first = submit()

    again = [runs.submit(client, "train", {"dataset": "yard"}, again=True) for _ in range(2)]

    assert [run.name for run in again] == [f"{first.name}-2", f"{first.name}-3"]


def test_a_run_whose_answer_was_lost_is_found_by_its_name(submit, kubeflow):
    def lose(verb, path):
        if (verb, path) == CREATE:
            raise ConnectionAbortedError

    kubeflow.after = lose
    with pytest.raises(HostError, match="does not answer"):
        submit()
    assert len(kubeflow.runs) == 1

    assert submit().was_there
    assert len(kubeflow.runs) == 1


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"sead": 3}, "train has no parameter 'sead', expected dataset"),
        ({"seed": "3"}, "seed is '3', expected of type Integer"),
        ({"grow_test": 1}, "grow_test is 1, expected of type Boolean"),
    ],
)
def test_a_wrong_parameter_is_refused_before_the_host_is_asked(submit, kubeflow, given, why):
    kubeflow.requests.clear()

    with pytest.raises(UserError, match=why):
        submit(**given)
    assert kubeflow.requests == []


def test_a_window_starts_the_pipeline_that_was_uploaded_once(client, uploaded, kubeflow):
    first = train_once(client, "yard", "d" * 64)

    assert train_once(client, "yard", "d" * 64) == first
    (kept,) = kubeflow.runs.values()
    assert kept["display_name"] == "train-yard-dddddddddddd"
    reference = kept["pipeline_version_reference"]
    assert reference["pipeline_version_id"] == uploaded[0].version.id
    assert kept["service_account"] == "car-pipeline"


def test_a_task_starts_runs_under_the_account_that_its_own_run_has(
    client, uploaded, kubeflow, monkeypatch
):
    monkeypatch.setenv("TASK_ACCOUNT", "yard-pipeline")

    kept = kubeflow.runs[train_once(client, "yard", "0123456789abcdef")]
    assert kept["service_account"] == "yard-pipeline"


def test_a_window_starts_the_newest_version_with_the_parameters_that_were_chosen(
    client, uploaded, kubeflow
):
    chosen = {"approval": "manual", "launcher": "tfjob", "workers": 4}

    starter(kubeflow.url, chosen)("yard", "d" * 64)

    (kept,) = kubeflow.runs.values()
    assert kept["runtime_config"]["parameters"] == {"dataset": "yard", **chosen}


def test_watch_and_its_submission_have_the_names_and_defaults_of_training():
    names = ("approval", "launcher", "workers")
    train, watch = ({n: defaults(graph)[n] for n in names} for graph in ("train", "watch"))
    job = {n: submit_training.component_spec.inputs[n].default for n in names}

    assert train == watch == job


def test_a_window_is_refused_where_the_pipeline_is_not_uploaded(client):
    with pytest.raises(UserError, match="knows no pipeline 'train-car-detector'"):
        train_once(client, "yard", "d" * 64)


@pytest.mark.parametrize(
    ("state", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("CANCELED", 1), ("SKIPPED", 1)]
)
def test_waiting_ends_with_the_run_and_its_exit_code(
    submit, answered_then, command, capsys, state, code
):
    run = submit()
    answered_then(run, "RUNNING", "RUNNING", state)

    assert command("wait", run.name, "--every", "0.01") == code
    assert capsys.readouterr().out.splitlines() == [f"{run.name} RUNNING", f"{run.name} {state}"]


def test_waiting_too_long_has_the_exit_code_of_timeout(submit, command, capsys):
    run = submit()

    assert command("wait", run.id, "--timeout", "0.05", "--every", "0.01") == 124
    assert "is PENDING after 0.05 s" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--every", "--timeout"])
@pytest.mark.parametrize("word", ["-1", "nan", "inf", "1e300", "soon"])
def test_seconds_that_are_none_are_refused_in_a_sentence(command, capsys, option, word):
    with pytest.raises(SystemExit, match="2"):
        command("wait", "x", f"{option}={word}")
    assert f"{option}: '{word}', expected seconds from 0 to" in capsys.readouterr().err


def test_the_command_says_which_version_runs(uploaded, command, capsys):
    assert command("submit", "train") == 0

    assert f"{uploaded[0].version.name}, the newest: " in capsys.readouterr().err


def test_submitting_and_waiting_is_one_command_whose_output_is_the_id(
    uploaded, command, kubeflow, capsys
):
    words = ("submit", "train", "--dataset", "yard")

    assert command(*words) == 0
    (run,) = kubeflow.runs
    assert capsys.readouterr().out == f"{run}\n"
    kubeflow.finish(run, "SUCCEEDED")
    assert command(*words, "--wait", "--every", "0.01") == 0
    assert "exists, PENDING" not in capsys.readouterr().err
    assert len(kubeflow.runs) == 1


def test_a_host_that_is_away_for_a_moment_is_asked_again(submit, kubeflow):
    run = submit()
    kubeflow.finish(run.id, "SUCCEEDED")
    drops = iter([True] * 6)  # the SDK itself tries four times

    def drop(verb, path):
        if next(drops, False):
            raise ConnectionAbortedError

    kubeflow.before = drop

    assert run.wait(timeout=5, every=0.01).succeeded


def test_a_host_that_is_busy_for_a_moment_is_asked_again(submit, kubeflow):
    run = submit()
    kubeflow.finish(run.id, "SUCCEEDED")
    busy = iter([True] * 2)

    def refuse(verb, path):
        if next(busy, False):
            raise Refused(429, "too many requests")

    kubeflow.before = refuse

    assert run.wait(timeout=5, every=0.01).succeeded


def test_a_host_that_is_gone_is_an_error_and_not_a_timeout(submit, kubeflow):
    run = submit()

    def drop(verb, path):
        raise ConnectionAbortedError

    kubeflow.before = drop
    with pytest.raises(HostError, match="does not answer"):
        run.wait(timeout=60, every=0.01)


def test_a_host_that_forgot_the_run_is_not_asked_again(submit, kubeflow):
    run = submit()
    kubeflow.runs.clear()
    start = time.monotonic()

    with pytest.raises(HostError, match="answers 404"):
        run.wait(timeout=60, every=10)
    assert time.monotonic() - start < 5


def test_the_lines_for_a_notebook_do_what_they_say(
    kubeflow, uploaded, checkout, monkeypatch, capsys
):
    """They are those of the class's own documentation, with this host's address."""
    monkeypatch.setitem(versions.upload.__kwdefaults__, "root", checkout)
    monkeypatch.setitem(Host.upload.__kwdefaults__, "allow_tags", True)
    shown = [line[8:] for line in Host.__doc__.splitlines() if line.startswith(" " * 8)]
    lines = shown[: shown.index("host.schedules.apply()") + 1]

    def end(verb, path):
        for run in kubeflow.runs:
            kubeflow.finish(run, "SUCCEEDED")

    kubeflow.before = end
    said = {}
    code = "\n".join(lines).replace("https://kubeflow.example.com/pipeline", kubeflow.url)
    exec(code, {"Host": Host}, said)

    assert repr(said["run"]).endswith(", SUCCEEDED)")
    assert capsys.readouterr().out.startswith(said["run"].name)
    assert len(kubeflow.recurringRuns) == 3


def test_waiting_in_a_notebook_ends_in_time(submit):
    with pytest.raises(RunTimeoutError, match="PENDING after"):
        submit().wait(timeout=0.03, every=0.01)


def test_the_names_that_jobs_and_pipelines_use_are_the_same():
    from components.shared.kubeflow.runs import TRAIN
    from pipelines.graphs import GRAPHS

    assert GRAPHS["train"].name == TRAIN


def test_with_several_users_everything_stays_in_ones_own_namespace(kubeflow, checkout):
    kubeflow.multi_user = True
    client = connect(kubeflow.url, namespace="ours")
    versions.upload(client, "train", allow_tags=True, root=checkout)

    run = runs.submit(client, "train", {})

    assert [one["namespace"] for one in kubeflow.pipelines.values()] == ["ours"]
    assert [one["namespace"] for one in kubeflow.experiments.values()] == ["ours"]
    assert runs.find(client, run.name).id == run.id
    assert client.get_pipeline_id("train-car-detector") is None
