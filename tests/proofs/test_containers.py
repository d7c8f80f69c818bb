import pytest

from pipelines.graphs import GRAPHS
from tests.proofs.containers import Seen, Watch, tasks_of


def watch(*ended: tuple[str, int | None]) -> Watch:
    seen = {str(n): Seen(task, [], 0, code) for n, (task, code) in enumerate(ended)}
    return Watch("run", seen)


def test_nothing_is_wrong_if_every_task_ran_once_and_ended_with_0():
    assert watch(("train", 0), ("judge", 0)).complaints({"train", "judge"}) == []


@pytest.mark.parametrize(
    ("ended", "complaint"),
    [
        ([("train", 3)], "train ended with 3"),
        ([("train", None)], "train ended with nothing"),
        ([], "train ran 0 times"),
        ([("train", 0), ("train", 0)], "train ran 2 times"),
        ([("train", 0), ("unknown", 0)], "unknown is no task of the graph"),
    ],
)
def test_anything_else_is_named(ended, complaint):
    assert watch(*ended).complaints({"train"}) == [complaint]


def test_the_tasks_of_a_graph_are_those_in_conditions_and_after_its_end_too():
    tasks = tasks_of(GRAPHS["train"])

    assert {"snapshot-dataset", "train-detector-2", "deploy-model", "record-outcome"} <= tasks
    assert not any(task.startswith(("condition", "exit-handler")) for task in tasks)
