import pytest

from components.shared.contracts.errors import UserError
from components.shared.kubeflow.runs import EXPERIMENT
from pipelines.kubeflow.schedules import Schedules
from tests.support.schedule_examples import FILE


def told(steps):
    return [(step.verb, step.name) for step in steps]


def there(kubeflow):
    return sorted(one["display_name"] for one in kubeflow.recurringRuns.values())


def training(kubeflow):
    """The schedule of the training that was made last."""
    made = kubeflow.recurringRuns.values()
    return [it for it in made if it["display_name"].startswith("train")][-1]


def test_a_host_gets_one_recurring_run_a_schedule_and_dataset(schedules, kubeflow, uploaded):
    schedules.apply()

    assert there(kubeflow) == ["train-weekly-yard", "watch-hourly-gate", "watch-hourly-yard"]
    made = training(kubeflow)
    assert made["trigger"]["cron_schedule"] == {"cron": "0 0 2 * * Mon"}
    assert made["runtime_config"]["parameters"] == {"dataset": "yard", "epochs": "9"}
    assert made["pipeline_version_reference"]["pipeline_version_id"] == uploaded[0].version.id
    assert (made["no_catchup"], made["max_concurrency"]) == (True, 1)
    assert (made["mode"], made["service_account"]) == ("ENABLE", "car-pipeline")
    assert kubeflow.experiments[made["experiment_id"]]["display_name"] == EXPERIMENT


def test_a_second_time_nothing_is_changed(schedules, kubeflow):
    schedules.apply()
    kubeflow.requests.clear()

    assert schedules.apply() == []
    assert kubeflow.changes() == []
    assert len(kubeflow.requests) == 2 * 2 + 1  # two pipelines with versions, and the list


def test_looking_changes_nothing(schedules, kubeflow):
    before = kubeflow.changes()

    assert [step.verb for step in schedules.diff()] == ["create", "create", "create"]
    assert kubeflow.changes() == before


def test_a_new_version_of_a_pipeline_is_taken_up(schedules, kubeflow, client, checkout):
    from pipelines.kubeflow.versions import upload

    schedules.apply()
    (checkout / "file").write_text("two\n")
    new = upload(client, "train", allow_dirty=True, allow_tags=True, root=checkout).version

    assert told(schedules.apply()) == [("replace", "train-weekly-yard")]
    assert training(kubeflow)["pipeline_version_reference"]["pipeline_version_id"] == new.id


def test_what_is_paused_stays_paused(schedules, kubeflow, client, changed):
    schedules.apply()
    client.disable_recurring_run(training(kubeflow)["recurring_run_id"])

    assert schedules.apply() == []
    changed()
    assert "(paused)" in str(schedules.diff()[0])
    schedules.apply()
    assert training(kubeflow)["mode"] == "DISABLE"


def test_two_of_one_name_are_refused_with_their_ids(schedules, kubeflow):
    schedules.apply()
    twin = {**training(kubeflow), "recurring_run_id": "twin"}
    kubeflow.recurringRuns["twin"] = twin
    before = kubeflow.changes()

    with pytest.raises(
        UserError, match=r"has train-weekly-yard 2 times \(recurring_run-\d+, twin\)"
    ):
        schedules.apply()
    assert kubeflow.changes() == before


def test_one_that_somebody_made_by_hand_is_left_alone_and_refused(schedules, kubeflow):
    schedules.apply()
    training(kubeflow)["description"] = "by hand"

    with pytest.raises(UserError, match="that this file did not make"):
        schedules.apply()


@pytest.mark.parametrize("owner", ["", "owner: night\n"])
def test_what_another_file_made_is_never_pruned(schedules, client, kubeflow, file, checkout, owner):
    schedules.apply()
    other = file.with_name("other ones.yaml") if not owner else file.parent / "b" / file.name
    other.parent.mkdir(exist_ok=True)
    other.write_text(owner + FILE.replace("name: ", "name: other-"))
    others = Schedules(client, other, checkout)

    assert [step.verb for step in others.apply(prune=True)] == ["create"] * 3
    assert others.diff() == schedules.diff() == []
    assert len(kubeflow.recurringRuns) == 6


def test_one_name_in_two_files_is_refused(schedules, client, file, checkout):
    schedules.apply()
    other = file.with_name("other.yaml")
    other.write_text(FILE)

    with pytest.raises(UserError, match=r"train-weekly-yard that schedules\.yaml made"):
        Schedules(client, other, checkout).apply()


def test_a_pipeline_that_was_deleted_and_uploaded_again_is_noticed(
    schedules, kubeflow, client, checkout
):
    from pipelines.kubeflow.versions import upload

    schedules.apply()
    (old,) = (one for one in kubeflow.pipelines.values() if "train" in one["display_name"])
    (version,) = (one["pipeline_version_id"] for one in kubeflow.of(old["pipeline_id"]))
    del kubeflow.versions[version], kubeflow.pipelines[old["pipeline_id"]]
    new = upload(client, "train", allow_tags=True, root=checkout).version

    assert told(schedules.apply()) == [("replace", "train-weekly-yard")]
    assert training(kubeflow)["pipeline_version_reference"]["pipeline_version_id"] == new.id


def test_the_schedules_of_an_older_checkout_run_its_version(schedules, kubeflow, client, checkout):
    from pipelines.kubeflow.versions import upload

    schedules.apply()
    before = training(kubeflow)["pipeline_version_reference"]
    (checkout / "file").write_text("two\n")
    upload(client, "train", allow_dirty=True, allow_tags=True, root=checkout)
    schedules.apply()
    assert training(kubeflow)["pipeline_version_reference"] != before
    (checkout / "file").write_text("one\n")

    # The first one was replaced and has no active run: it goes first.
    assert told(schedules.apply()) == [
        ("delete", "train-weekly-yard"),
        ("replace", "train-weekly-yard"),
    ]
    assert training(kubeflow)["pipeline_version_reference"] == before


def test_more_than_a_page_of_recurring_runs_is_read(schedules, kubeflow):
    schedules.apply()
    other = training(kubeflow)
    for number in range(150):
        one = {"recurring_run_id": f"x{number}", "display_name": f"x{number}", "description": ""}
        kubeflow.recurringRuns = {f"x{number}": {**other, **one}} | kubeflow.recurringRuns

    assert schedules.diff() == []
    assert len(schedules.there()) == 153


def test_a_pipeline_that_is_not_uploaded_is_refused_before_anything_is_made(client, file, kubeflow):
    with pytest.raises(UserError, match="knows no pipeline 'train-car-detector'"):
        Schedules(client, file).apply()
    assert kubeflow.changes() == []


def test_the_command_tells_a_difference_by_its_exit_code(command, file, uploaded, capsys):
    words = ("--file", str(file))

    assert command("schedules", "diff", *words) == 1
    assert command("schedules", "apply", *words) == 0
    assert command("schedules", "diff", *words) == 0
    assert capsys.readouterr().out.endswith("nothing to do\n")
