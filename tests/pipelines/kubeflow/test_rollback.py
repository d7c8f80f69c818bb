"""`rollback` speaks to the host as every other command for it does."""

import pytest

from pipelines.__main__ import main
from pipelines.kubeflow import versions
from pipelines.local import commands


@pytest.fixture(autouse=True)
def deploy(client, checkout, monkeypatch):
    """The deploy pipeline is uploaded, and nothing is done on this machine."""
    versions.upload(client, "deploy", allow_tags=True, root=checkout)

    def refuse(*words):
        raise AssertionError(words)

    monkeypatch.setattr(commands, "run", refuse)


def test_the_host_of_the_environment_gets_a_run_of_the_previous_model(
    kubeflow, monkeypatch, capsys
):
    monkeypatch.setenv("KFP_HOST", kubeflow.url)

    assert main(["rollback", "--dataset", "yard"]) == 0

    (run,) = kubeflow.runs.values()
    chosen = run["runtime_config"]["parameters"]
    assert (chosen["dataset"], chosen["model"]) == ("yard", "previous")
    assert capsys.readouterr().out == f"{run['run_id']}\n"


def test_going_back_twice_is_two_runs_in_ones_own_namespace(kubeflow, client, command, checkout):
    kubeflow.multi_user = True
    for one in (*kubeflow.pipelines.values(), *kubeflow.experiments.values()):
        one["namespace"] = "ours"

    for _ in range(2):
        assert command("rollback", "--dataset", "yard", "--namespace", "ours") == 0

    assert len({run["display_name"] for run in kubeflow.runs.values()}) == 2


@pytest.mark.parametrize(("state", "code"), [("SUCCEEDED", 0), ("FAILED", 1)])
def test_going_back_can_be_waited_for(kubeflow, command, state, code):
    def end(verb, path):
        for run in kubeflow.runs:
            kubeflow.finish(run, state)

    kubeflow.before = end

    assert command("rollback", "--wait", "--every", "0.01") == code


def test_certificates_that_are_not_there_are_refused(command, capsys):
    assert command("rollback", "--ca", "nowhere.pem") == 2
    assert "nowhere.pem does not exist" in capsys.readouterr().err
