"""The command `policy`, the policy of a local run, and the example in the README."""

import re
from pathlib import Path

import pytest

from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import Policy
from components.shared.settings.policy_file import KINDS, policy_from
from pipelines.__main__ import main
from pipelines.local.policy import LAPTOP, NOWHERE, write_local_policy

README = Path(__file__).parents[2] / "pipelines/README.md"


@pytest.fixture
def example(tmp_path):
    """The policy file that the README shows."""
    (text,) = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    file = tmp_path / "example.yaml"
    file.write_text(text)
    return file


@pytest.fixture
def printed(capsys, monkeypatch):
    """Run the command, and return value, unit and source by section and field."""
    monkeypatch.delenv("POLICY", raising=False)
    monkeypatch.delenv("DETECTOR_URL", raising=False)

    def printed(*words):
        assert main(["policy", *map(str, words)]) == 0
        rows, section = {}, ""
        for line in capsys.readouterr().out.splitlines():
            if found := re.match(r"(\w+): ", line):
                section = found[1]
            elif found := re.match(r"  (\w+) +(.+?) (\S+) +(default|laptop|file)  (.+)", line):
                rows[section, found[1]] = found.groups()[1:4]
        return rows

    return printed


def test_the_example_of_the_readme_changes_what_it_names(printed, example):
    rows = printed(example)

    assert rows["promotion", "min_gain"] == ("0.01", "mAP50-95", "file")
    assert rows["rollout", "steps"] == ("0, 10, 50, 100", "%", "file")
    assert rows["rollout", "min_requests"] == ("200", "answers", "file")
    assert [row[2] for row in rows.values()].count("file") == 5


def test_every_field_is_printed_with_its_unit(printed):
    fields = {(name, field) for name, kind in KINDS.items() for field in kind.model_fields}

    assert printed().keys() == fields


def test_a_laptop_has_a_shorter_rollout_than_a_cluster(printed):
    assert printed()["rollout", "min_step_s"] == ("2", "s", "laptop")
    assert printed("--cluster")["rollout", "min_step_s"] == ("60", "s", "default")


def test_the_file_that_the_environment_names_is_printed(printed, example, monkeypatch):
    monkeypatch.setenv("POLICY", str(example))

    assert printed()["rollout", "min_requests"] == ("200", "answers", "file")


def test_a_file_that_is_wrong_is_one_clear_line(tmp_path, capsys):
    file = tmp_path / "policy.yaml"
    file.write_text("promotion: {min_gane: 0.1}")

    assert main(["policy", str(file)]) == 2
    (line,) = capsys.readouterr().err.split("\n")[1:-1]
    assert line.startswith("POLICY: policy.yaml: promotion.min_gane is unknown, the nearest known")


def test_a_local_run_decides_by_the_file_over_the_values_of_a_laptop(tmp_path, example):
    variable = write_local_policy(tmp_path, {"POLICY": str(example)})
    policy = policy_from(variable)

    assert (policy.rollout.min_requests, policy.rollout.min_step_s) == (200, 2.0)
    assert policy.promotion.min_gain == 0.01


def test_a_local_run_against_detectors_of_your_own_has_the_values_of_a_cluster(tmp_path):
    assert policy_from(write_local_policy(tmp_path, {}, NOWHERE)) == Policy()


def test_a_local_run_refuses_a_wrong_file_before_it_writes_its_own(tmp_path):
    wrong = tmp_path / "mine.yaml"
    wrong.write_text("rollout: {min_requests: 0}")

    with pytest.raises(UserError, match=r"^POLICY: mine.yaml: rollout.min_requests: Input should"):
        write_local_policy(tmp_path, {"POLICY": str(wrong)}, LAPTOP)
    assert not (tmp_path / "policy.yaml").exists()
