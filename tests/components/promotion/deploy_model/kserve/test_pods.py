"""What a pod says is held against a model only if its own server did it."""

import pytest

from components.promotion.deploy_model.kserve.pods import (
    failure,
    has_run,
    hindrance,
    is_ready,
    removal,
    unscheduled,
)
from tests.support.serving_pods import (
    condition,
    container,
    ended,
    pod,
    waiting,
)

REFUSED = ended(2, "a log\ntoys is not served: no signature")


def test_a_server_that_ended_by_itself_says_why_in_its_last_words():
    words = "kserve-container ended with 2: a log toys is not served: no signature"

    assert failure([pod(ready="False", restarts=1, ended=REFUSED)]) == words
    assert failure([pod(ready="False", ended=REFUSED)]) == words


def test_of_long_last_words_the_end_is_told():
    long = ended(1, "x" * 600 + " the cause")

    assert failure([pod(restarts=1, ended=long)]).endswith("x the cause")


def test_a_server_that_ended_weeks_ago_and_is_ready_has_not_failed():
    again = container(restarts=1, ended=REFUSED, running=True, ready=True)

    assert failure([pod(server=[again])]) is None


def test_an_initializer_that_failed_once_and_then_succeeded_hinders_nothing():
    done = container("storage-initializer", 1, ended=ended(1, "no endpoint"), ready=True)

    assert hindrance([pod(ready="False", init=[done])]) is None


def test_a_server_that_was_told_to_end_has_not_failed():
    assert failure([pod(ended=ended(143, ""), deleted="now")]) is None
    assert failure([pod(ended=ended(0, ""))]) is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"waiting": waiting("ImagePullBackOff", "no such image")}, "ImagePullBackOff: no such"),
        (
            {"init": [container("storage-initializer", 1, ended=ended(1, "no endpoint"))]},
            "storage-initializer ended with 1: no endpoint",
        ),
    ],
    ids=["no image", "no files"],
)
def test_what_keeps_a_server_from_being_started_is_no_failure_of_it(facts, words):
    told = pod(ready="False", **facts)

    assert words in hindrance([told])
    assert failure([told]) is None
    assert not has_run([told])


def test_a_pod_that_only_takes_its_time_is_neither():
    told = pod(ready="False", waiting=waiting("ContainerCreating"))

    assert (failure([told]), hindrance([told]), unscheduled([told])) == (None, None, None)


def test_a_pod_without_a_node_says_why():
    full = condition("PodScheduled", "False", "Unschedulable", "0/3 nodes: Insufficient cpu")

    assert unscheduled([pod(conditions=[full])]) == (
        "pod cars-1 has no node: 0/3 nodes: Insufficient cpu"
    )


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"deleted": "now"}, "pod cars-1 was deleted"),
        ({"reason": "Evicted"}, "Evicted: the node was low on memory"),
        (
            {"conditions": [condition("DisruptionTarget", reason="EvictionByEvictionAPI")]},
            "EvictionByEvictionAPI",
        ),
    ],
    ids=["drained", "evicted", "disrupted"],
)
def test_a_pod_that_is_taken_away_says_by_whom(facts, words):
    assert words in removal(pod(**facts))


def test_a_pod_that_runs_is_not_taken_away():
    assert removal(pod(running=True)) is None
    assert has_run([pod(running=True)])
    assert is_ready(pod())
    assert not is_ready(pod(deleted="now"))
