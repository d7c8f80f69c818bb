"""Whatever a job and its pods show has one state, and a failure names its cause."""

import pytest

from components.shared.contracts.errors import UserError
from components.training.train_detector.launchers import tfjob, trainjob
from components.training.train_detector.launchers.outcome import (
    State,
    TrainingError,
    failure,
)
from tests.support.training_pods import (
    a_pod,
    conditions,
    ended,
    running,
    workers,
)


def again(pod, attempt=1):
    pod.metadata.labels["jobset.sigs.k8s.io/restart-attempt"] = str(attempt)
    return pod


BOTH = (running(0), running(1))
TFJOB = [
    ((), State.UNSEEN),
    (("Created",), State.CREATED),
    (("Created", "Running"), State.RUNNING),
    (("Created", "Restarting"), State.RESTARTING),
    (("Created", "Running", "Restarting"), State.RESTARTING),
    (("Created", "Suspended"), State.SUSPENDED),
    (("Created", "Running", "Succeeded"), State.SUCCEEDED),
    (("Created", "Restarting", "Failed"), State.FAILED),
]


@pytest.mark.parametrize(("names", "state"), TFJOB)
def test_conditions_of_a_tfjob_are_a_state(names, state):
    assert tfjob.state_of(conditions(*names), workers(*BOTH)) is state


@pytest.mark.parametrize(
    ("pods", "state"),
    [
        ((running(0),), State.CREATED),
        ((running(0), a_pod(1, phase="Pending")), State.CREATED),
        ((running(0), ended(1, 137)), State.RESTARTING),
        ((running(0), a_pod(1, phase="Failed", reason="Evicted")), State.RESTARTING),
        ((running(0), ended(1, 0)), State.RUNNING),
        ((running(0), ended(1, 2)), State.RUNNING),
    ],
    ids=["missing", "pending", "killed", "evicted", "done", "refused"],
)
def test_a_tfjob_runs_only_once_all_its_workers_have_started(pods, state):
    assert tfjob.state_of(conditions("Running"), workers(*pods)) is state


def test_a_condition_that_no_longer_holds_says_nothing():
    job = {"status": {"conditions": [{"type": "Suspended", "status": "False"}]}}

    assert tfjob.state_of(job, ()) is State.UNSEEN


NODE = {"container": "node"}
TRAINJOB = [
    ((), (), State.UNSEEN),
    ((), (a_pod(0, phase="Pending", **NODE),), State.CREATED),
    ((), (running(0, **NODE), a_pod(1, phase="Pending", **NODE)), State.CREATED),
    ((), (running(0, **NODE),), State.CREATED),
    ((), (again(running(0, **NODE)),), State.RESTARTING),
    ((), (running(0, **NODE), running(1, **NODE)), State.RUNNING),
    ((), (running(0, **NODE), ended(1, 0, **NODE)), State.RUNNING),
    ((), (running(0, **NODE), ended(1, 137, **NODE)), State.RESTARTING),
    ((), (again(a_pod(0, phase="Pending", **NODE)),), State.RESTARTING),
    ((), (again(running(0, **NODE)), again(running(1, **NODE))), State.RUNNING),
    (("Suspended",), (), State.SUSPENDED),
    (("Complete",), (ended(0, 0, **NODE),), State.SUCCEEDED),
    (("Failed",), (ended(0, 1, **NODE),), State.FAILED),
]


@pytest.mark.parametrize(("names", "pods", "state"), TRAINJOB)
def test_conditions_and_pods_of_a_trainjob_are_a_state(names, pods, state):
    assert trainjob.state_of(conditions(*names), workers(*pods, container="node")) is state


def test_a_failure_names_the_pod_its_exit_code_and_its_last_words():
    error = failure("train-ab", conditions("Failed"), workers(running(0), ended(1, 3, "no room")))

    assert str(error) == "training train-ab failed: worker 1 (pod pod-1) ended with 3:\nno room"


def test_what_the_user_must_mend_is_said_without_more():
    error = failure("a", conditions("Failed"), workers(ended(0, 2, "noise\nthe loss is nan")))

    assert isinstance(error, UserError)
    assert str(error) == "the loss is nan"


def test_the_first_to_end_for_good_is_the_cause_not_those_that_followed():
    pods = (ended(0, 138, "another one is gone", 1), ended(1, 1, "first", 2), ended(2, 1, "", 9))

    assert "worker 1 (pod pod-1) ended with 1:\nfirst" in str(failure("a", {}, workers(*pods)))


def test_without_any_pod_the_controller_has_the_word():
    error = failure("a", conditions("Created", Failed="it was active too long"), ())

    assert isinstance(error, TrainingError)
    assert str(error) == "training a failed: it was active too long"


def test_a_pod_that_was_evicted_says_so():
    evicted = a_pod(0, phase="Failed", reason="Evicted", message="the node was low on memory")

    assert workers(evicted)[0].words == "the node was low on memory"


def test_a_pod_that_cannot_start_says_why():
    pulling = {"waiting": {"reason": "ImagePullBackOff", "message": "no such tag"}}
    full = [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]
    pods = (a_pod(0, pulling, "Pending"), a_pod(1, phase="Pending", conditions=full))

    assert [one.words for one in workers(*pods)] == [
        "ImagePullBackOff: no such tag",
        "0/3 nodes are available",
    ]
