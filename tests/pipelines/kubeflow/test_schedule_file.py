import re

import pytest

from components.shared.contracts.errors import UserError
from pipelines.command_line import parser
from pipelines.kubeflow import schedule_file
from pipelines.kubeflow.schedule_file import planned, read

GOOD = """
timezone: UTC
schedules:
  - name: train-weekly
    pipeline: train
    cron: 0 0 2 * * Mon
    datasets:
      yard: {epochs: 9}
"""
WRONG = [
    ("timezone: UTC", "timezone: Europe/Zurick", "timezone is 'Europe/Zurick'"),
    ("timezone: UTC", "zone: UTC", "zone: Extra inputs"),
    ("timezone: UTC", "owner: the night", "owner"),
    ("0 0 2 * * Mon", "0 2 * * Mon", "train-weekly: cron '0 2 * * Mon' has five fields"),
    ("0 0 2 * * Mon", "5", "cron: Input should be a valid string"),
    ("pipeline: train", "pipeline: trian", "'trian' is no pipeline, expected one of train"),
    ("{epochs: 9}", "{epoch: 9}", "train has no parameter 'epoch', expected dataset, epochs"),
    ("{epochs: 9}", "{epochs: nine}", "epochs is 'nine', expected auto or a whole number"),
    ("{epochs: 9}", "{grow_test: 1}", "grow_test is 1, expected of type Boolean"),
    ("{epochs: 9}", "{approval: ''}", "approval is '', expected one of auto, manual"),
    ("{epochs: 9}", "{workers: 3}", "batch size is 8, expected a multiple of 3 workers"),
    ("{epochs: 9}", "{seed: -1}", "seed is -1, expected a whole number from 0 to 2,147,483,647"),
    ("yard: {epochs: 9}", "' yard ': {}", "datasets"),
    ("{epochs: 9}", "{dataset: gate}", "expected only the dataset's own key"),
    ("yard: {epochs: 9}", "Yard Nr 1: {}", "datasets"),
    ("      yard: {epochs: 9}", "      yard: {}\n      yard: {epochs: 9}", "'yard' is there twice"),
    ("\n    datasets:\n      yard: {epochs: 9}", "\n    datasets: {}", "at least 1 item"),
    ("schedules:", "schedules: [", "schedules.yaml: while parsing"),
    (GOOD[15:], GOOD[15:] + GOOD[26:], "schedules train-weekly-yard twice"),
]  # fmt: skip


def test_the_projects_own_schedules_are_right():
    pipelines = {one.pipeline: one.cron for one in read().schedules}

    assert pipelines == {
        "train": "0 0 2 * * Mon",
        "watch": "0 5 * * * *",
        "batch": "0 30 3 * * *",
    }


@pytest.mark.parametrize(("part", "instead", "why"), WRONG)
def test_what_is_wrong_in_a_file_is_named(tmp_path, part, instead, why):
    file = tmp_path / "schedules.yaml"
    assert part in GOOD
    file.write_text(GOOD.replace(part, instead, 1))

    with pytest.raises(UserError, match=re.escape(why)):
        read(file)


def test_each_dataset_gets_its_own_name_and_parameters(tmp_path):
    file = tmp_path / "schedules.yaml"
    file.write_text(GOOD + "      gate: {}\n")

    one, two = planned(read(file))

    assert (one.name, one.parameters) == ("train-weekly-yard", {"dataset": "yard", "epochs": "9"})
    assert (two.name, two.parameters) == ("train-weekly-gate", {"dataset": "gate"})


def test_linting_tells_the_next_five_times_in_the_clusters_zone(tmp_path, capsys):
    file = tmp_path / "schedules.yaml"
    file.write_text(GOOD.replace("UTC", "America/New_York"))
    options = vars(parser().parse_args(["schedules", "lint", "--file", str(file)]))

    assert options.pop("act")(options) == 0
    title, *times = capsys.readouterr().out.splitlines()
    assert title == "train-weekly: train at '0 0 2 * * Mon' for yard"
    assert len(times) == 5
    assert all(
        re.fullmatch(r"    Mon \d{4}-\d\d-\d\d 02:00:00 E[SD]T \(-0[45]00\)", t) for t in times
    )


def test_linting_needs_no_host():
    assert "host" not in vars(parser().parse_args(["schedules", "lint"]))
    assert schedule_file.FILE.is_file()
