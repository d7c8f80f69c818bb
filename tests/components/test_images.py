import json
import os
import subprocess
from pathlib import Path

import pytest

from components import images
from components.images import image

ROOT = Path(__file__).parents[2]
DOCKER = """#!/bin/sh
case "$1 $2" in
    "push --quiet") ;;
    "image inspect") echo "elsewhere/$(basename $3)@sha256:0"; echo "${3%%:*}@sha256:of-${3##*/}" ;;
esac
"""


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setenv("IMAGE_REGISTRY", "registry/cars")
    monkeypatch.setenv("IMAGE_TAG", "v7")
    monkeypatch.setenv("IMAGE_DIGESTS", "")


def test_an_image_is_named_by_registry_and_tag(registry):
    assert image("core") == "registry/cars/core:v7"


def test_an_image_that_was_pushed_under_its_tag_is_named_by_its_digest(
    registry, tmp_path, monkeypatch
):
    pushed = tmp_path / "digests.json"
    pushed.write_text(json.dumps({"registry/cars/core:v7": "sha256:ab"}))
    monkeypatch.setenv("IMAGE_DIGESTS", str(pushed))

    assert image("core") == "registry/cars/core@sha256:ab"
    assert image("data") == "registry/cars/data:v7"


def test_what_was_pushed_from_this_checkout_is_known_where_nothing_else_is_said(
    registry, tmp_path, monkeypatch
):
    pushed = tmp_path / "digests.json"
    pushed.write_text(json.dumps({"registry/cars/core:v7": "sha256:ab"}))
    monkeypatch.setattr(images, "PUSHED", pushed)

    assert image("core") == "registry/cars/core:v7"
    monkeypatch.delenv("IMAGE_DIGESTS")
    assert image("core") == "registry/cars/core@sha256:ab"
    pushed.unlink()
    assert image("core") == "registry/cars/core:v7"


def test_what_is_known_by_default_is_what_make_push_writes():
    names = [line for line in (ROOT / "Makefile").read_text().splitlines() if "DIGESTS ?=" in line]

    assert f"DIGESTS ?= {images.PUSHED.relative_to(ROOT)}" in names


def test_make_push_records_what_a_stand_in_for_docker_pushed(registry, tmp_path):
    docker, digests = tmp_path / "docker", tmp_path / "digests.json"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    subprocess.run(
        ["make", "push", f"DOCKER={docker}", f"DIGESTS={digests}"],
        cwd=ROOT, check=True, env=os.environ | {"MAKEFLAGS": ""}, capture_output=True,
    )  # fmt: skip

    pushed = json.loads(digests.read_text())
    assert pushed["registry/cars/trainer:v7"] == "sha256:of-trainer:v7"
    assert len(pushed) == len(list(ROOT.glob("images/*/Dockerfile")))
