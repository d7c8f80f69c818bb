import hashlib
import subprocess

import pytest
import yaml

from components.contracts.refusal import Refusal
from components.kubeflow.client import HostError
from pipelines.kubeflow.versions import upload
from pipelines.packages import write_package

UPLOAD = ("POST", "/apis/v2beta1/pipelines/upload_version")


def revision(checkout):
    words = ["git", "rev-parse", "HEAD"]
    return subprocess.run(words, cwd=checkout, capture_output=True, text=True).stdout[:12]


def test_a_version_is_called_by_its_revision_and_holds_what_is_compiled(
    client, checkout, kubeflow, tmp_path
):
    package = write_package("watch", tmp_path)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()

    version, was_there = upload(client, "watch", root=checkout)

    assert version.name == f"{revision(checkout)}-{digest[:8]}"
    assert not was_there
    (kept,) = kubeflow.versions.values()
    assert kept["pipeline_spec"] == next(yaml.safe_load_all(package.read_text()))
    assert kept["description"] == f"sha256 {digest}"
    (pipeline,) = kubeflow.pipelines.values()
    assert pipeline["display_name"] == "watch-car-detector"


def test_the_same_revision_is_uploaded_once(client, checkout, kubeflow):
    first = upload(client, "watch", root=checkout)
    changes = kubeflow.changes()

    second = upload(client, "watch", root=checkout)

    assert second.was_there
    assert second.version == first.version
    assert kubeflow.changes() == changes


def test_the_same_revision_with_other_images_is_another_version(client, checkout, monkeypatch):
    from pipelines.kubeflow import versions

    first = upload(client, "watch", root=checkout).version
    file = write_package("watch", checkout.parent)
    file.write_text(file.read_text().replace(":dev", ":1.0"))
    monkeypatch.setattr(versions, "write_package", lambda name, folder: file)

    second = upload(client, "watch", root=checkout).version

    assert second.name.split("-")[0] == first.name.split("-")[0]
    assert second != first


def test_a_dirty_tree_is_refused_with_the_names_of_what_differs(client, checkout, kubeflow):
    (checkout / "file").write_text("two\n")

    with pytest.raises(Refusal, match=r"differs from revision \w{12} in 1 files \(file\)"):
        upload(client, "watch", root=checkout)
    assert kubeflow.changes() == []


def test_a_dirty_tree_that_is_allowed_is_called_so(client, checkout):
    (checkout / "new").write_text("two\n")

    version = upload(client, "watch", allow_dirty=True, root=checkout).version

    assert version.name.startswith(f"{revision(checkout)}-dirty-")


def test_what_is_no_checkout_has_no_revision(client, tmp_path):
    with pytest.raises(Refusal, match="expected a checkout with a commit"):
        upload(client, "watch", root=tmp_path)


def test_an_unknown_pipeline_is_refused_by_name(client, checkout):
    with pytest.raises(Refusal, match="'wach' is no pipeline, expected one of train"):
        upload(client, "wach", root=checkout)


def test_what_dies_before_its_version_is_uploaded_is_healed_by_the_next(client, checkout, kubeflow):
    def drop(verb, path):
        if (verb, path) == UPLOAD:
            raise ConnectionAbortedError

    kubeflow.before = drop
    with pytest.raises(HostError, match="does not answer"):
        upload(client, "watch", root=checkout)
    kubeflow.before = lambda verb, path: None

    assert not upload(client, "watch", root=checkout).was_there
    assert (len(kubeflow.pipelines), len(kubeflow.versions)) == (1, 1)


def test_whoever_is_late_takes_what_the_quicker_one_uploaded(client, checkout, kubeflow):
    def overtake(verb, path):
        if (verb, path) == UPLOAD:
            kubeflow.before = lambda verb, path: None
            upload(client, "watch", root=checkout)

    kubeflow.before = overtake

    assert upload(client, "watch", root=checkout).was_there
    assert len(kubeflow.versions) == 1


def test_the_command_uploads_all_pipelines(command, kubeflow, capsys):
    assert command("upload", "--allow-dirty") == 0

    assert len(kubeflow.versions) == 4
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == ["uploaded"] * 4
