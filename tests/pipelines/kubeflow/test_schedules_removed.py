"""A schedule that is not wanted any more ends after its runs, not with them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.shared.kubeflow.client import HostError
from pipelines.kubeflow.schedules import Schedules
from tests.support.schedule_examples import FILE

ROOT = Path(__file__).parents[3]


def told(steps):
    return [(f"{'prune ' * step.pruned}{step.verb}", step.name) for step in steps]


def trainings(kubeflow):
    made = kubeflow.recurringRuns.values()
    return [it for it in made if it["display_name"].startswith("train")]


def modes(kubeflow):
    return [one["mode"] for one in trainings(kubeflow)]


def drop_disabling(verb, path):
    if path.endswith(":disable"):
        raise ConnectionAbortedError


def test_pipelines_2_17_collects_a_run_under_way_with_its_recurring_run(
    schedules, kubeflow, client
):
    schedules.apply()
    (one,) = trainings(kubeflow)
    run = kubeflow.fire(one["recurring_run_id"])
    kubeflow.play(run, state="RUNNING")

    client.delete_recurring_run(one["recurring_run_id"])

    assert kubeflow.runs[run]["state"] == "RUNNING"
    assert run not in kubeflow.workflows
    with pytest.raises(Exception, match="500"):
        client.terminate_run(run)


def test_a_changed_one_is_made_and_the_old_one_only_disabled(schedules, kubeflow, changed):
    schedules.apply()
    old = trainings(kubeflow)[0]["recurring_run_id"]
    changed()
    kubeflow.requests.clear()

    assert told(schedules.apply()) == [("replace", "train-weekly-yard")]
    assert kubeflow.changes() == [
        ("POST", "/apis/v2beta1/recurringruns"),
        ("POST", f"/apis/v2beta1/recurringruns/{old}:disable"),
    ]
    assert modes(kubeflow) == ["DISABLE", "ENABLE"]
    assert trainings(kubeflow)[1]["trigger"]["cron_schedule"] == {"cron": "0 0 4 * * Mon"}


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "CANCELING"])
def test_the_old_one_is_deleted_by_the_next_time_after_its_last_run(
    schedules, kubeflow, changed, state
):
    schedules.apply()
    run = kubeflow.fire(trainings(kubeflow)[0]["recurring_run_id"])
    kubeflow.finish(run, state)
    changed()
    schedules.apply()

    waits = schedules.apply()
    assert told(waits) == [("wait", "train-weekly-yard")]
    assert "when none of its runs is active" in str(waits[0])
    assert (len(trainings(kubeflow)), kubeflow.collected) == (2, set())
    kubeflow.finish(run, "SUCCEEDED")
    assert told(schedules.apply()) == [("delete", "train-weekly-yard")]
    assert (modes(kubeflow), kubeflow.collected) == (["ENABLE"], set())
    assert schedules.apply() == []


def test_what_was_replaced_twice_is_deleted_oldest_first(schedules, kubeflow, changed):
    schedules.apply()
    run = kubeflow.fire(trainings(kubeflow)[0]["recurring_run_id"])
    for cron in ("0 0 4 * * Mon", "0 0 6 * * Mon"):
        changed(cron)
        schedules.apply()

    assert [step.verb for step in schedules.apply()] == ["wait", "wait"]
    kubeflow.finish(run, "FAILED")
    assert [step.verb for step in schedules.apply()] == ["delete", "wait"]
    assert [step.verb for step in schedules.apply()] == ["delete"]
    assert trainings(kubeflow)[0]["trigger"]["cron_schedule"] == {"cron": "0 0 6 * * Mon"}


def test_a_run_of_many_is_found_however_long_ago_it_began(schedules, kubeflow, changed):
    schedules.apply()
    recurring = trainings(kubeflow)[0]["recurring_run_id"]
    oldest = kubeflow.fire(recurring)
    for _ in range(120):
        kubeflow.finish(kubeflow.fire(recurring), "SUCCEEDED")
    changed()
    schedules.apply()

    assert [step.verb for step in schedules.apply()] == ["wait"]
    kubeflow.finish(oldest, "SUCCEEDED")
    assert [step.verb for step in schedules.apply()] == ["delete"]


def test_what_dies_between_making_and_disabling_is_healed_by_the_next(schedules, kubeflow, changed):
    schedules.apply()
    changed()
    kubeflow.before = drop_disabling
    with pytest.raises(HostError, match="does not answer"):
        schedules.apply()
    assert modes(kubeflow) == ["ENABLE", "ENABLE"]

    kubeflow.before = lambda verb, path: None
    assert told(schedules.apply()) == [("disable", "train-weekly-yard")]
    assert told(schedules.apply()) == [("delete", "train-weekly-yard")]
    assert schedules.apply() == []


def test_a_killed_process_leaves_two_and_the_next_ones_leave_one(
    schedules, kubeflow, changed, file
):
    schedules.apply()
    changed()
    words = ["schedules", "apply", "--file", str(file), "--host", kubeflow.url]
    process = subprocess.Popen([sys.executable, "-m", "pipelines", *words], cwd=ROOT)

    def kill(verb, path):
        if path.endswith(":disable"):
            os.kill(process.pid, signal.SIGKILL)
        drop_disabling(verb, path)

    kubeflow.before = kill
    assert process.wait() == -signal.SIGKILL
    assert modes(kubeflow) == ["ENABLE", "ENABLE"]

    kubeflow.before = lambda verb, path: None
    for _ in range(2):
        schedules.apply()
    assert modes(kubeflow) == ["ENABLE"]


def test_what_the_file_has_no_more_is_shown_and_removed_on_demand(schedules, kubeflow, file):
    schedules.apply()
    theirs = {**trainings(kubeflow)[0], "recurring_run_id": "theirs", "display_name": "x"}
    kubeflow.recurringRuns["theirs"] = theirs | {"description": ""}
    (gate,) = (key for key, one in kubeflow.recurringRuns.items() if "gate" in one["display_name"])
    run = kubeflow.fire(gate)
    file.write_text(FILE.replace(", gate: {}", ""))

    assert told(schedules.diff()) == [("prune disable", "watch-hourly-gate")]
    assert schedules.apply() == []
    assert told(schedules.apply(prune=True)) == [("prune disable", "watch-hourly-gate")]
    assert told(schedules.apply(prune=True)) == [("prune wait", "watch-hourly-gate")]
    kubeflow.finish(run, "SUCCEEDED")
    assert told(schedules.apply(prune=True)) == [("prune delete", "watch-hourly-gate")]
    assert (gate in kubeflow.recurringRuns, kubeflow.collected) == (False, set())
    assert "theirs" in kubeflow.recurringRuns


def test_what_was_pruned_and_is_asked_for_again_is_told_until_it_is_resumed(
    schedules, kubeflow, file, command, capsys
):
    schedules.apply()
    file.write_text(FILE.replace(", gate: {}", ""))
    schedules.apply(prune=True)
    file.write_text(FILE)
    words = ("--file", str(file))
    (gate,) = (it for it in kubeflow.recurringRuns.values() if "gate" in it["display_name"])
    line = f"paused         watch-hourly-gate {gate['recurring_run_id']}: the file asks for it"

    before = kubeflow.changes()
    capsys.readouterr()
    assert [command("schedules", verb, *words) for verb in ("diff", "apply")] == [0, 0]
    assert capsys.readouterr().out.count(line) == 2
    assert kubeflow.changes() == before

    assert command("schedules", "apply", "--resume", *words) == 0
    said = capsys.readouterr().out
    assert said == f"resume         watch-hourly-gate {gate['recurring_run_id']} (paused)\n"
    assert gate["mode"] == "ENABLE"
    assert command("schedules", "diff", *words) == 0
    assert capsys.readouterr().out == "nothing to do\n"


def test_what_was_pruned_and_comes_back_otherwise_is_told_and_resumed_too(
    schedules, kubeflow, file, changed
):
    schedules.apply()
    file.write_text(FILE.replace("name: train-weekly", "name: train-never"))
    schedules.apply(prune=True)
    changed()
    schedules.apply(prune=True)

    (paused,) = schedules.paused()
    assert paused.one.name == "train-weekly-yard"
    assert told(schedules.resume()) == [("resume", "train-weekly-yard")]
    assert schedules.paused() == []
    wanted = [it for it in trainings(kubeflow) if it["mode"] == "ENABLE"]
    assert [it["trigger"]["cron_schedule"]["cron"] for it in wanted] == ["0 0 4 * * Mon"]


def test_schedules_of_our_pipelines_that_are_made_by_hand_are_listed(
    schedules, kubeflow, command, file, client, uploaded, capsys
):
    schedules.apply()
    client.create_recurring_run(
        client.create_experiment("mine").experiment_id, "by hand", cron_expression="@daily",
        max_concurrency=10, pipeline_id=uploaded[0].version.pipeline_id,
        version_id=uploaded[0].version.id,
    )  # fmt: skip
    capsys.readouterr()

    (one,) = schedules.foreign()
    line = str(one)
    assert "by hand" in line
    assert "train-car-detector" in line
    assert "catch-up is on" in line
    assert "up to 10 runs at once" in line
    assert "its account is pipeline-runner, expected car-pipeline" in line
    assert command("schedules", "diff", "--file", str(file)) in (0, 1)
    assert line in capsys.readouterr().out.splitlines()


def test_a_schedule_of_another_pipeline_or_file_is_not_foreign(schedules, kubeflow, checkout, file):
    schedules.apply()
    stranger = {**trainings(kubeflow)[0], "recurring_run_id": "x", "description": ""}
    stranger["pipeline_version_reference"] = {"pipeline_id": "another"}
    kubeflow.recurringRuns["x"] = stranger | {"display_name": "x"}
    other = file.with_name("other.yaml")
    other.write_text(FILE)

    assert Schedules(schedules._client, other, checkout).foreign() == []
