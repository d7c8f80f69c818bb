"""A stand-in for a host, clients of it through the real SDK, and a checkout to upload from."""

import signal
import subprocess

import pytest

from components.shared.kubeflow.client import connect
from pipelines.__main__ import main
from pipelines.kubeflow import runs, versions
from pipelines.kubeflow.schedules import Schedules
from tests.standins.kubeflow_pipelines import KubeflowPipelines
from tests.support.kubeflow import forget_settings
from tests.support.schedule_examples import FILE

GIT = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false"]


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch):
    forget_settings(monkeypatch)


@pytest.fixture
def kubeflow():
    with KubeflowPipelines() as host:
        yield host


@pytest.fixture
def client(kubeflow):
    return connect(kubeflow.url)


@pytest.fixture
def checkout(tmp_path):
    """A git checkout with one commit."""
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "file").write_text("one\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*GIT, *words], cwd=root, check=True)
    return root


@pytest.fixture
def uploaded(client, checkout):
    """Upload what is scheduled, as it is now."""
    names = ("train", "watch", "batch")
    return [versions.upload(client, it, allow_tags=True, root=checkout) for it in names]


@pytest.fixture
def submit(client, uploaded, checkout):
    """Submit a training of the yard with some parameters."""
    return lambda **given: runs.submit(client, "train", {"dataset": "yard", **given}, root=checkout)


@pytest.fixture
def command(kubeflow):
    """The command line with the host's address; returns its exit code."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*words):
        return main([*words, "--host", kubeflow.url])

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "schedules.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def schedules(client, file, uploaded, checkout):
    return Schedules(client, file, checkout)


@pytest.fixture
def changed(file):
    """Change when the training starts."""
    return lambda cron="0 0 4 * * Mon": file.write_text(FILE.replace("0 0 2 * * Mon", cron))
