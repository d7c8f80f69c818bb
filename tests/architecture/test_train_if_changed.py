"""A delivery starts a training if what a training learns from has changed since the last one."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pipelines.delivery.command_line import reason_to_train

ROOT = Path(__file__).parents[2]


def lock(root, pins):
    file = root / "images/trainer/requirements.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(pins)


@pytest.fixture
def repository(tmp_path):
    """Two commits and our Makefile; returns what changes a file, commits and asks."""

    def git(*words):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip

    def ask(file, content, since="HEAD~1"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        with (tmp_path / file).open("a") as grown:
            grown.write(content)
        git("add", ".")
        git("commit", "-m", "change")
        return subprocess.run(
            ["make", "train-if-changed", f"BIN={ROOT / '.venv/bin'}", "READY=ready"],
            cwd=tmp_path, capture_output=True, text=True,
            env={
                "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "SINCE": since,
                "KFP_HOST": "http://127.0.0.1:1",
            },
        )  # fmt: skip

    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("shared/network", "training/train_detector"):
        shutil.copytree(ROOT / "components" / name, tmp_path / "components" / name)
    lock(tmp_path, "tensorflow-cpu==2.21.0 \\\n")
    for name in ("requirements.txt", "ready"):
        (tmp_path / name).write_text("")
    git("init", "-q")
    git("add", ".")
    git("commit", "-m", "first")
    return ask


@pytest.mark.parametrize(
    ("file", "content", "name"),
    [
        ("components/shared/network/loss.py", "FOCAL = 2\n", "loss"),
        ("images/trainer/requirements.txt", "tensorflow-cpu==2.22.0 \\\n", "tensorflow"),
    ],
)
def test_a_merge_that_changes_what_a_training_learns_starts_one(repository, file, content, name):
    asked = repository(file, content)

    assert asked.returncode != 0
    assert f"training: {name} changed since HEAD~1" in asked.stderr
    assert "127.0.0.1:1" in asked.stderr  # the host that it wanted to start it on


def test_a_merge_that_changes_something_else_starts_none(repository):
    asked = repository("components/training/train_detector/report/page.py", "PAGE = 'a page'\n")

    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout == "no training: no code and no package that it depends on has changed\n"


@pytest.mark.parametrize("since", ["0" * 40, "", "--output=x"])
def test_an_unknown_commit_counts_as_a_change_and_is_named(repository, since):
    asked = repository("components/promotion/judge_model/judge.py", "", since=since)

    assert f"training: {since or 'delivered'} is not a known commit" in asked.stderr
    assert "127.0.0.1:1" in asked.stderr


def test_a_delivery_moves_the_tag_since_which_the_next_one_asks(tmp_path, monkeypatch):
    def git(*words):
        said = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.run(said, check=True, capture_output=True, text=True).stdout

    def merge(version, name):
        lock(tmp_path, f"keras=={version}\n")
        Path(name).write_text(name)
        git("add", "Makefile", "images", name)
        git("commit", "-m", name)

    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "Makefile", tmp_path)
    git("init", "-q", "--bare", "origin.git")
    git("init", "-q")
    git("remote", "add", "origin", "origin.git")
    merge(1, "first")
    for name in ("second", "third"):
        subprocess.run(["make", "delivered"], check=True)
        git("fetch", "--force", "origin", "refs/tags/delivered:refs/tags/delivered")
        assert not reason_to_train("delivered")
        merge(name, name)  # this one is dropped
        merge(name, f"{name} more")
        assert reason_to_train("delivered") == "keras changed since delivered"
