import time

import pytest

from components.shared.kubeflow.client import HostError
from pipelines.kubeflow.runs import RunTimeoutError
from tests.standins.pipelines_http import Refused


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


def test_waiting_in_a_notebook_ends_in_time(submit):
    with pytest.raises(RunTimeoutError, match="PENDING after"):
        submit().wait(timeout=0.03, every=0.01)
