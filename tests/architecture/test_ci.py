"""Two build servers, one Makefile: the same stages in the same order, and nothing besides."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.jenkinsfile_parser import read, stages

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
JENKINSFILE = (ROOT / "Jenkinsfile").read_text()
PROMOTE = (ROOT / ".ci/Jenkinsfile.promote").read_text()
WORKFLOWS = ("ci", "promote")
STAGES = [
    "check", "run", "images", "prove", "push", "compile", "lint", "upload", "schedules", "train",
    "promote",
]  # fmt: skip
MAKE = re.compile(r"make( [a-z][a-z-]*)+")


def workflow(name):
    return yaml.safe_load((ROOT / f".github/workflows/{name}.yaml").read_text())


def jobs():
    return {key: job for name in WORKFLOWS for key, job in workflow(name)["jobs"].items()}


def steps():
    return [step for job in jobs().values() for step in job["steps"]]


def github():
    """Stages and their commands: a step without a name prepares the next one."""
    return [(step["name"], step["run"]) for step in steps() if "name" in step]


def jenkins():
    def command(stage):
        (statement,) = stage.child("steps").statements
        return re.fullmatch(r"sh '([^']*)'", statement)[1]

    return [
        (name, command(stage))
        for text in (JENKINSFILE, PROMOTE)
        for name, stage in stages(read(text))
    ]


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


def test_there_are_two_workflows():
    files = sorted((ROOT / ".github/workflows").iterdir())
    assert [file.name for file in files] == [f"{name}.yaml" for name in WORKFLOWS]


def test_a_job_may_read_the_code_and_only_those_that_push_may_write_images_or_a_tag():
    assert all(workflow(name)["permissions"] == {"contents": "read"} for name in WORKFLOWS)
    assert {name: job["permissions"] for name, job in jobs().items() if "permissions" in job} == {
        "deliver": {"contents": "read", "packages": "write"},
        "note": {"contents": "write"},
    }


def test_every_action_is_pinned_by_its_commit_and_none_keeps_credentials():
    for step in steps():
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_a_change_from_outside_meets_no_secret():
    events = workflow("ci")[True]  # YAML reads `on` so

    assert set(events) == {"push", "pull_request"}
    assert events["push"] == {"branches": ["main"]}
    assert "secrets." not in str(jobs()["check"])
    for name in ("deliver", "note"):
        assert jobs()[name]["if"] == "github.event_name == 'push'"


def test_no_step_says_a_secret_or_what_someone_else_wrote():
    for step in steps():
        assert "${{" not in step.get("run", "")
    secrets = [step for step in steps() if "secrets." in str(step)]
    assert {step.get("run", step.get("uses", "").split("@")[0]) for step in secrets} == {
        "make token", "docker/login-action", "make delivered",
    }  # fmt: skip
    assert not re.search(r"\b(echo|printenv|env|set -x)\b", str([c for _, c in jenkins()]))


def test_every_job_ends_some_time():
    assert all(job["timeout-minutes"] <= 180 for job in jobs().values())
    for text in (JENKINSFILE, PROMOTE):
        outer = read(text).child("pipeline").child("stages").blocks
        assert all("timeout(" in " ".join(s.child("options").statements) for s in outer)


def test_jenkins_delivers_from_main_alone():
    whole = read(JENKINSFILE).everything()
    guarded = [b.head for b in whole if b.child("when") and "branch 'main'" in b.child("when").body]

    assert guarded == ["stage('deliver')"]


def test_only_a_person_promotes_and_from_main():
    promote = dict(stages(read(PROMOTE)))["promote"]

    assert "triggeredBy 'UserIdCause'" in promote.child("when").statements
    assert set(workflow("promote")[True]) == {"workflow_dispatch"}
    assert workflow("promote")["jobs"]["promote"]["environment"] == "production"
    assert workflow("promote")["jobs"]["promote"]["if"] == "github.ref == 'refs/heads/main'"


def test_no_merge_waits_for_a_person():
    assert not [block for block in read(JENKINSFILE).everything() if block.child("input")]
    assert not [job for job in workflow("ci")["jobs"].values() if "environment" in job]


def test_both_let_a_person_choose_the_same_with_the_same_defaults():
    inputs = workflow("promote")[True]["workflow_dispatch"]["inputs"]
    asked = re.findall(r"string\(name: '(\w+)', defaultValue: '([\w-]+)'", PROMOTE)

    assert {name.upper(): one["default"] for name, one in inputs.items()} == dict(asked)
    env = workflow("promote")["jobs"]["promote"]["env"]
    assert {key for key in env if key in dict(asked)} == set(dict(asked))
    for name, default in asked:
        assert f"promote: export {name} ?= {default}\n" in MAKEFILE


def test_what_changed_is_asked_since_the_last_delivery_not_since_the_last_push():
    deliver = next(b for b in read(JENKINSFILE).everything() if b.head == "stage('deliver')")
    ci = (ROOT / ".github/workflows/ci.yaml").read_text()

    assert "GIT_PREVIOUS_SUCCESSFUL_COMMIT" in " ".join(deliver.child("environment").statements)
    assert "github.event.before" not in ci  # so that the tag is asked
    assert [step["run"] for step in jobs()["note"]["steps"] if "run" in step] == ["make delivered"]
    assert jobs()["note"]["needs"] == "deliver"
    assert jobs()["deliver"]["steps"][0]["with"]["fetch-depth"] == 0  # with the tags


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        ("steps { sh 'make test' ", "steps { sh 'make test' }", "not closed"),
        ("steps { sh 'make test }", "steps { sh 'make test' }", "not closed"),
        ("label 'docker' )", "label 'docker' }", "closes nothing"),
        ("", "steps { sh 'make images' }", "needs either steps or stages"),
    ],
)
def test_a_broken_jenkinsfile_is_noticed(wrong, right, complaint):
    assert right in JENKINSFILE

    with pytest.raises(ValueError, match=complaint):
        list(stages(read(JENKINSFILE.replace(right, wrong, 1))))


def test_manifests_that_cannot_be_rendered_leave_what_was_there(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "manifests/overlays/local").mkdir(parents=True)
    (tmp_path / "build/manifests").mkdir(parents=True)
    rendered = tmp_path / "build/manifests/local.yaml"
    rendered.write_text("kind: Pod\n")
    (tmp_path / "kubectl").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "kubectl").chmod(0o755)

    done = subprocess.run(
        ["make", "manifests"], cwd=tmp_path, capture_output=True, check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip

    assert done.returncode != 0
    assert rendered.read_text() == "kind: Pod\n"
