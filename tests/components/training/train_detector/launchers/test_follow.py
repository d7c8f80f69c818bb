"""A job is begun once, adopted after, followed to its end, and removed by who is told to stop."""

import os
import signal

import pytest

from components.shared.cluster.client import ClusterError, ConflictError
from components.training.train_detector.launchers import tfjob
from components.training.train_detector.launchers.follow import OverdueError
from components.training.train_detector.launchers.on_cluster import begin, launch
from components.training.train_detector.launchers.outcome import TrainingError
from components.training.train_detector.launchers.worker_settings import WorkerSettings
from tests.support.followed_jobs import DONE, GONE, Story
from tests.support.training_pods import (
    a_job,
    a_pod,
    conditions,
    ended,
    running,
)


def play(*looks, settings=None, **more):
    story = Story(*looks, **more)
    launch(story, tfjob, a_job(settings), look_every_s=0)
    return story


def test_a_job_is_created_and_followed_to_its_end(capsys):
    runs = (conditions("Running"), running(0), running(1))
    story = play(GONE, runs, (DONE, ended(0, 0)), log=["epoch 1"])

    assert story.created == ["train-ab"]
    assert capsys.readouterr().out.splitlines() == [
        "» train-ab: running", "epoch 1", "» train-ab: succeeded",
    ]  # fmt: skip


def test_a_job_that_runs_already_is_adopted(capsys):
    story = play(conditions("Running"), DONE)

    assert not story.created
    assert "is running already, so this attempt adopts it" in capsys.readouterr().out


def test_what_an_earlier_attempt_left_is_removed_first():
    failed = conditions("Failed")
    leaving = {**failed, "metadata": {"uid": "0", "deletionTimestamp": "now"}}

    story = play(failed, leaving, GONE, DONE)

    assert (story.deleted, story.created) == (["train-ab"], ["train-ab"])


def test_of_two_who_begin_at_once_one_adopts():
    class Race(Story):
        def create(self, kind, body):
            raise ConflictError("there is one")

    assert begin(Race(GONE, conditions("Created")), tfjob, a_job(), 0) == "1"


def test_every_change_is_told_once(capsys):
    waiting = a_pod(0, {"waiting": {"reason": "ImagePullBackOff"}}, "Pending")
    lost = ended(1, 137)
    play(
        GONE,
        (conditions("Created"), waiting),
        (conditions("Created"), waiting),
        (conditions("Suspended"),),
        (conditions("Running"), running(0), running(1)),
        (conditions("Restarting"), running(0), lost),
        (conditions("Running"), running(0), running(1, life=1)),
        (DONE,),
    )

    assert [line.split(": ", 1)[1] for line in capsys.readouterr().out.splitlines()] == [
        "created; its workers are starting",
        "worker 0 (pod pod-0) waits: ImagePullBackOff",
        "suspended until a queue or a person resumes it",
        "running",
        "restarting after a lost worker; all resume from the last checkpoint",
        "worker 1 (pod pod-1) ended with 137",
        "running",
        "worker 1 is restarted (pod pod-1)",
        "succeeded",
    ]


def test_a_failed_worker_is_quoted_from_its_log():
    with pytest.raises(TrainingError, match="ended with 1:\nits last words"):
        play(GONE, (conditions("Failed"), ended(0, 1)))


def test_a_failed_job_stays_for_those_who_look_into_it():
    story = Story(GONE, (conditions("Failed"), ended(0, 1)))
    with pytest.raises(TrainingError):
        launch(story, tfjob, a_job(), 0)

    assert not story.deleted


@pytest.mark.parametrize("job", [None, {**DONE, "metadata": {"uid": "2"}}], ids=["gone", "other"])
def test_a_job_that_was_removed_is_no_success(job):
    with pytest.raises(TrainingError, match="training train-ab was removed while it ran"):
        play(GONE, conditions("Running"), job)


def test_an_api_server_may_be_away_for_a_while(capsys):
    play(GONE, conditions("Running"), ClusterError("no answer"), ClusterError("no answer"), DONE)

    assert capsys.readouterr().out.count("no answer; trying again") >= 1


def test_a_job_that_nobody_takes_is_given_up_and_removed():
    story = Story(GONE, {"metadata": {"uid": "1"}})
    with pytest.raises(
        OverdueError, match=r"no controller reconciled it; expected the training op"
    ):
        launch(story, tfjob, a_job(WorkerSettings(start_limit_s=1)), 0.4)

    assert story.deleted == ["train-ab"]


def test_a_job_over_its_time_is_removed_even_if_its_controller_sleeps():
    story = Story(GONE, conditions("Running"))
    with pytest.raises(OverdueError, match="exceeded its limit of 1 s"):
        launch(story, tfjob, a_job(WorkerSettings(time_limit_s=1)), 0.4)

    assert story.deleted == ["train-ab"]


RUNS = (conditions("Running"), running(0), running(1))
NO_ROOM = [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]
HALF = (conditions("Running"), running(0), a_pod(1, phase="Pending", conditions=NO_ROOM))


def test_a_job_with_one_worker_that_never_starts_is_given_up_and_removed():
    story = Story(GONE, HALF)
    with pytest.raises(OverdueError, match="did not start: worker 1 waits: 0/3 nodes"):
        launch(story, tfjob, a_job(WorkerSettings(start_limit_s=1)), 0.4)

    assert story.deleted == ["train-ab"]


def test_a_worker_that_is_lost_and_never_comes_back_ends_the_job(capsys):
    story = Story(GONE, RUNS, HALF)
    with pytest.raises(OverdueError, match="did not start again: worker 1 waits: 0/3 nodes"):
        launch(story, tfjob, a_job(WorkerSettings(start_limit_s=1)), 0.4)

    assert "restarting after a lost worker" in capsys.readouterr().out


def test_every_start_has_the_whole_limit():
    looks = [HALF, HALF, RUNS, HALF, HALF]
    launch(Story(GONE, *looks, DONE), tfjob, a_job(WorkerSettings(start_limit_s=1)), 0.4)


def test_a_job_that_was_resumed_starts_anew_and_has_lost_no_worker(capsys):
    play(GONE, RUNS, conditions("Suspended"), HALF, RUNS, DONE)

    assert "restarting" not in capsys.readouterr().out


def test_time_in_a_queue_does_not_count():
    looks = [conditions("Suspended")] * 8
    launch(Story(GONE, *looks, DONE), tfjob, a_job(WorkerSettings(time_limit_s=1)), 0.3)


def test_a_worker_that_falls_again_and_again_is_given_up():
    lives = [(conditions("Restarting"), ended(0, 137, life=life)) for life in range(3)]

    with pytest.raises(OverdueError, match="worker 0 was started 3 times, expected at most 2"):
        play(GONE, *lives, settings=WorkerSettings(restarts=1))


def test_who_is_told_to_stop_removes_the_job():
    def stop():
        os.kill(os.getpid(), signal.SIGTERM)
        return conditions("Running")

    story = Story(GONE, conditions("Running"), stop)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        launch(story, tfjob, a_job(), 0)

    assert end.value.code == 143
    assert story.deleted == ["train-ab"]
    assert signal.getsignal(signal.SIGTERM) is before
