"""A job that lost a pod to a deletion, an eviction or a drain is made anew, within `restarts`."""

import pytest

from components.shared.cluster.client import Cluster
from components.training.train_detector.launchers import tfjob, trainjob
from components.training.train_detector.launchers.on_cluster import launch
from components.training.train_detector.launchers.outcome import TrainingError, disrupted
from components.training.train_detector.launchers.worker_settings import WorkerSettings
from tests.standins.kubernetes_in_memory import KubernetesInMemory
from tests.standins.training_operator import TrainingOperator
from tests.support.followed_jobs import DONE, GONE, Story
from tests.support.training_pods import (
    a_job,
    conditions,
    ended,
    running,
    workers,
)

FAILED = conditions(Failed="TFJob train-ab has failed because 1 Worker replica(s) failed.")
LATE = conditions(Failed="it was active longer than specified deadline")
RUNS = (conditions("Running"), running(0), running(1))


class Drained(Cluster):
    """Operator and kubelet go on by one step with every look; worker 1 is deleted once."""

    def __init__(self, grace_s):
        self.api = KubernetesInMemory()
        super().__init__(self.api, "cars")
        self.operator, self.grace_s, self.first = TrainingOperator(self.api, "cars"), grace_s, []

    def get(self, kind, name):
        self.operator.look()
        self.api.let_go()
        uids = [each["metadata"]["uid"] for each in self.api.pods()]
        if len(uids) == 2 and not self.first:
            self.first = uids
            self.operator.core.delete_namespaced_pod(
                f"{name}-worker-1", "cars", grace_period_seconds=self.grace_s
            )
        elif len(uids) == 2 and uids[1] != self.first[1]:
            self.api.end(f"{name}-worker-0", 0)
        return super().get(kind, name)


@pytest.mark.parametrize("grace_s", [30, 0], ids=["drained", "deleted by force"])
def test_a_training_outlives_the_loss_of_a_pod_on_training_operator_1_9(grace_s, capsys):
    cluster = Drained(grace_s)

    launch(cluster, tfjob, a_job(), look_every_s=0.01)

    said = capsys.readouterr().out
    assert ("start 2 of at most 6 follows, which resumes from the last checkpoint" in said) == (
        grace_s > 0
    )
    assert said.endswith("» train-ab: succeeded\n")


def play(*looks, restarts=5, kind=tfjob):
    story = Story(GONE, *looks)
    launch(story, kind, a_job(WorkerSettings(restarts=restarts)), look_every_s=0)
    return story


def test_the_failed_job_is_removed_and_another_begun_under_its_name():
    story = play(RUNS, (FAILED, running(0)), FAILED, GONE, RUNS, DONE)

    assert story.created == ["train-ab"] * 2
    assert story.deleted == ["train-ab"]


def test_of_a_disruption_one_sentence_says_what_follows(capsys):
    play(RUNS, (FAILED, running(0)), GONE, RUNS, DONE)

    assert (
        "» train-ab: a pod was deleted, evicted or drained: TFJob train-ab has failed because 1 "
        "Worker replica(s) failed. No worker failed permanently: start 2 of at most 6 follows, "
        "which resumes from the last checkpoint\n"
    ) in capsys.readouterr().out


def test_restarts_bound_how_often_a_job_is_made_anew():
    again = (RUNS, (FAILED, running(0)), GONE)

    with pytest.raises(TrainingError, match="it was started 2 times, expected at most 2") as error:
        play(*again, *again, restarts=1)
    assert len(str(error.value).splitlines()) == 1


def test_starts_of_a_worker_within_the_job_count_as_well():
    lives = [(conditions("Restarting"), running(0, life=life)) for life in range(2)]

    with pytest.raises(TrainingError, match="it was started 2 times, expected at most 2"):
        play(*lives, (FAILED, running(0, life=1)), restarts=1)


@pytest.mark.parametrize("kind", [tfjob, trainjob], ids=["tfjob", "trainjob"])
def test_both_kinds_of_job_are_made_anew(kind):
    pods = [running(0, container=kind.CONTAINER), ended(1, 143, container=kind.CONTAINER)]

    assert len(play(RUNS, (FAILED, *pods), GONE, RUNS, (conditions("Succeeded", "Complete"),),
                    kind=kind).created) == 2  # fmt: skip


@pytest.mark.parametrize(
    ("job", "pods", "lost"),
    [
        (FAILED, [running(0)], True),
        (FAILED, [running(0), ended(1, 143)], True),
        (FAILED, [ended(0, 138), ended(1, 143)], True),
        (FAILED, [running(0), ended(1, 1)], False),
        (FAILED, [ended(0, 143), ended(1, 2)], False),
        (LATE, [ended(0, 143), ended(1, 143)], False),
    ],
    ids=["gone", "terminated", "forsaken", "mistake", "refused", "deadline"],
)
def test_only_a_job_without_a_final_exit_or_a_deadline_was_disrupted(job, pods, lost):
    assert disrupted(job, workers(*pods)) == lost


def test_a_job_that_never_had_a_pod_is_not_made_anew():
    with pytest.raises(TrainingError, match="training train-ab failed: TFJob train-ab has failed"):
        play(FAILED)
