"""What tasks ask for is a setting at compile time, and a mistake in it is named."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import RolloutPolicy
from components.shared.contracts.quantity import amount
from components.shared.settings.policy_file import policy_with
from pipelines.placement import SECONDS
from pipelines.policy.sizes import DEFAULTS, JOBS, read_sizes, size_of

ROOT = Path(__file__).parents[2]
LOCAL = ROOT / "manifests/overlays/local/task-sizes.yaml"


@pytest.fixture
def sizes(tmp_path, monkeypatch):
    """Write the file that TASK_SIZES names."""

    def write(text):
        file = tmp_path / "sizes.yaml"
        file.write_text(text)
        monkeypatch.setenv("TASK_SIZES", str(file))
        return file

    return write


def test_without_a_file_every_kind_has_its_default(monkeypatch):
    monkeypatch.delenv("TASK_SIZES", raising=False)

    assert {kind: size_of(kind, "train_detector") for kind in DEFAULTS} == DEFAULTS


def test_a_heavy_task_fits_on_a_node_of_four_cores_and_eight_gigabytes():
    assert amount(DEFAULTS["heavy"].cpu) < 4
    assert amount(DEFAULTS["heavy"].memory) < amount("7Gi")


def test_a_kind_is_changed_for_all_its_jobs_and_a_job_for_itself(sizes):
    sizes("heavy: {cpu: 1, memory: 3G}\nevaluate_detector: {cpu: 500m, memory: 2G}\n")

    assert size_of("heavy", "train_detector").cpu == "1"
    assert size_of("heavy", "evaluate_detector").cpu == "500m"
    assert size_of("light", "fetch_model") == DEFAULTS["light"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("heavi: {cpu: 1, memory: 3G}", "sizes.yaml has heavi, expected some of light, long"),
        ("heavy: {cpu: much, memory: 3G}", "heavy.cpu: expected an amount above 0"),
        ("heavy: {cpu: 2, memory: 3G, cpu_limit: 1}", "cpu_limit is 1, expected 2 or more"),
        ("heavy: {cpu: 2}", "heavy.memory: Field required"),
        ("heavy: 4", "heavy"),
        ("heavy: [", "while parsing"),
    ],
)
def test_a_wrong_size_is_named(sizes, text, complaint):
    with pytest.raises(UserError, match=complaint) as refused:
        read_sizes(sizes(text))

    assert "TASK_SIZES" in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"TASK_SIZES: .*none\.yaml"):
        read_sizes(tmp_path / "none.yaml")


def test_the_file_is_read_once_for_all_tasks(sizes):
    file = sizes("heavy: {cpu: 1, memory: 3G}")
    assert size_of("heavy", "train_detector").memory == "3G"
    file.unlink()

    assert size_of("heavy", "export_onnx").memory == "3G"


@pytest.mark.parametrize("command", [["compile.py"], ["compile.py", "--check"]])
def test_compiling_with_a_wrong_file_ends_with_one_line(sizes, command):
    file = sizes("heavy: [")

    ended = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=120
    )

    assert ended.returncode == 2
    assert ended.stderr.startswith(f"TASK_SIZES: {file}: while parsing")
    assert len(ended.stderr.splitlines()) == 1


def test_on_one_laptop_a_training_and_its_neighbours_request_less_than_two_cores():
    local = read_sizes(LOCAL)

    assert local.keys() == DEFAULTS.keys()
    assert 2 * amount(local["heavy"].cpu) + 4 * amount(local["light"].cpu) < 2
    assert yaml.safe_load(LOCAL.read_text())


def test_every_job_may_have_a_size_of_its_own():
    assert {"train_detector", "import_dataset", "record_outcome"} <= set(JOBS)


def test_a_rollout_may_wait_for_all_that_production_lets_it_wait_for_and_fits_twice():
    text = (LOCAL.parents[1] / "production/policy.yaml").read_text()
    values = yaml.safe_load(re.sub(r"(?m)^# (?=rollout:|  min_)", "", text))
    policy = policy_with(values, "policy.yaml").rollout
    assert policy.min_step_s > RolloutPolicy().min_step_s
    turn = 2 * policy.max_turn_s  # to begin, and for what had to be exchanged
    pods = (1 + len(policy.steps)) * policy.max_ready_s  # to come up, and for each share
    # At each step a champion may be away almost as long as ends a rollout; a second look waits.
    steps = len(policy.steps) * (2 * policy.min_step_s + policy.max_ready_s)

    assert 2 * (turn + pods + steps) < SECONDS["long"]
    assert SECONDS["light"] < turn + pods + steps
