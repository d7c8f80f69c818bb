"""Two build servers, one Makefile: the same stages in the same order, and nothing besides."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from components.train_detector.plan import ROOMS
from tests.architecture.jenkinsfile import read, stages

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
JENKINSFILE = (ROOT / "Jenkinsfile").read_text()
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.y*ml"))
STAGES = [
    "check", "run", "images", "prove", "push", "compile", "lint", "upload", "schedules", "train",
    "promote",
]  # fmt: skip
MAKE = re.compile(r"make( [a-z][a-z-]*)+")


def workflow():
    return yaml.safe_load((ROOT / ".github/workflows/ci.yaml").read_text())


def jobs():
    return workflow()["jobs"]


def steps():
    return [step for job in jobs().values() for step in job["steps"]]


def github():
    """Stages and their commands: a step without a name prepares the next one."""
    return [(step["name"], step["run"]) for step in steps() if "name" in step]


def jenkins():
    def command(stage):
        (statement,) = stage.child("steps").statements
        return re.fullmatch(r"sh '([^']*)'", statement)[1]

    return [(name, command(stage)) for name, stage in stages(read(JENKINSFILE))]


def test_both_build_servers_have_the_same_stages_in_the_same_order():
    assert github() == jenkins()
    assert [name for name, _ in github()] == STAGES


@pytest.mark.parametrize("command", sorted({step["run"] for step in steps() if "run" in step}))
def test_every_step_is_a_target_of_the_makefile(command):
    assert MAKE.fullmatch(command)
    for target in command.split()[1:]:
        assert re.search(rf"^{target}:.*## ", MAKEFILE, re.MULTILINE), target


def test_what_every_change_must_pass_is_two_targets():
    assert re.findall(r"^make .*$", (ROOT / ".ci/run").read_text(), re.MULTILINE) == [
        "make test", "make run",
    ]  # fmt: skip
    assert [step["run"] for step in jobs()["check"]["steps"] if "run" in step] == [
        "make test", "make run",
    ]  # fmt: skip


def test_there_is_one_workflow():
    assert [file.name for file in WORKFLOWS] == ["ci.yaml"]


def test_a_job_may_read_the_code_and_only_the_one_that_pushes_may_write_images():
    assert workflow()["permissions"] == {"contents": "read"}
    assert {name: job["permissions"] for name, job in jobs().items() if "permissions" in job} == {
        "deliver": {"contents": "read", "packages": "write"}
    }


def test_every_action_is_pinned_and_none_keeps_credentials():
    for step in steps():
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@(v\d+|[0-9a-f]{40})", step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_a_change_from_outside_meets_no_secret():
    events = workflow()[True]  # YAML reads `on` so

    assert set(events) == {"push", "pull_request"}
    assert events["push"] == {"branches": ["main"]}
    assert "secrets." not in str(jobs()["check"])
    for name in ("deliver", "promote"):
        assert jobs()[name]["if"] == "github.event_name == 'push'"


def test_no_step_says_a_secret_or_what_someone_else_wrote():
    for step in steps():
        assert "${{" not in step.get("run", "")
    secrets = [step for step in steps() if "secrets." in str(step)]
    assert {step.get("run", step.get("uses")) for step in secrets} == {
        "make token", "docker/login-action@v3",
    }  # fmt: skip
    assert not re.search(r"\b(echo|printenv|env|set -x)\b", str([c for _, c in jenkins()]))


def test_every_job_ends_some_time():
    assert all(job["timeout-minutes"] <= 180 for job in jobs().values())
    outer = read(JENKINSFILE).child("pipeline").child("stages").blocks
    assert all("timeout(" in " ".join(s.child("options").statements) for s in outer)


def test_jenkins_delivers_from_main_alone():
    whole = read(JENKINSFILE).everything()
    guarded = [b.head for b in whole if b.child("when") and "branch 'main'" in b.child("when").body]

    assert guarded == ["stage('deliver')", "stage('promote')"]


def test_only_a_person_promotes():
    promote = dict(stages(read(JENKINSFILE)))["promote"]

    assert promote.child("input")
    assert "beforeInput true" in promote.child("when").statements
    assert jobs()["promote"]["environment"] == "production"
    assert jobs()["promote"]["needs"] == "deliver"


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        ("steps { sh 'make test' ", "steps { sh 'make test' }", "not closed"),
        ("steps { sh 'make test }", "steps { sh 'make test' }", "not closed"),
        ("string(name: 'DATASET'}", "string(name: 'DATASET'", "closes nothing"),
        ("", "steps { sh 'make images' }", "needs either steps or stages"),
    ],
)
def test_a_broken_jenkinsfile_is_noticed(wrong, right, complaint):
    assert right in JENKINSFILE

    with pytest.raises(ValueError, match=complaint):
        list(stages(read(JENKINSFILE.replace(right, wrong, 1))))


@pytest.fixture
def repository(tmp_path):
    """Two commits and our Makefile; returns what changes a file, commits and asks."""

    def git(*words):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip

    def ask(file, since=""):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("changed")
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
    for name in ("requirements.txt", "ready"):
        (tmp_path / name).write_text("")
    git("init", "-q")
    git("add", ".")
    git("commit", "-m", "first")
    return ask


def test_a_merge_that_changes_what_training_depends_on_starts_one(repository):
    asked = repository(f"components/{ROOMS[-1]}/new.py")

    assert asked.returncode != 0
    assert "127.0.0.1:1" in asked.stderr  # the host that it wanted to start it on


def test_a_merge_that_changes_something_else_starts_none(repository):
    asked = repository("components/judge_model/judge.py")

    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout == "nothing that training depends on has changed\n"


def test_an_unknown_commit_starts_no_training(repository):
    asked = repository("components/contracts/x.py", since="0" * 40)

    assert asked.returncode == 2
    assert "127.0.0.1" not in asked.stderr
