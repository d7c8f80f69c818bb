import pytest

from components.monitoring.record_outcome.outcome import decided, outcome
from components.shared.kubeflow.nodes import Node


def test_a_failure_says_why():
    assert outcome("run-7", "FAILED", 1, "no disk").sentence == "failed: no disk (code 1)"


def test_a_success_needs_no_reason():
    assert outcome("run-7", "SUCCEEDED", None, None).sentence == "succeeded"


def test_a_message_of_many_lines_becomes_one():
    assert outcome("run-7", "FAILED", None, "no disk\n  at all\n").reason == "no disk at all"


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("SUCCEEDED", "SUCCEEDED"),
        ("COMPLETE", "SUCCEEDED"),
        ("FAILED", "FAILED"),
        ("CANCELLED", "CANCELED"),
        ("RUNNING", "RUNTIME_STATE_UNSPECIFIED"),
    ],
)
def test_every_runners_word_becomes_a_state_of_the_api(word, state):
    assert outcome("run-7", word, None, None).state == state


def test_a_run_without_nodes_has_not_ended():
    assert decided("RUNNING", {}, "exit-handler-1") == ""


def test_the_graph_that_the_exit_handler_follows_is_known_by_its_hook_too():
    names = {"x.root": "RUNNING", "x.root.train": "FAILED", "x.root.train.onExit": "RUNNING"}
    nodes = {name: Node(name, state) for name, state in names.items()}

    assert decided("RUNNING", nodes, "another name") == "FAILED"
