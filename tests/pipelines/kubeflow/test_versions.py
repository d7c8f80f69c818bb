import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.shared.contracts.errors import UserError
from components.shared.kubeflow.client import HostError
from pipelines.form import description_of
from pipelines.graphs import GRAPHS, write_package
from pipelines.kubeflow.versions import choose, upload

ROOT = Path(__file__).parents[3]
UPLOAD = ("POST", "/apis/v2beta1/pipelines/upload_version")


def revision(checkout):
    words = ["git", "rev-parse", "HEAD"]
    return subprocess.run(words, cwd=checkout, capture_output=True, text=True).stdout[:12]


def test_a_version_is_called_by_its_revision_and_holds_what_is_compiled(
    client, checkout, kubeflow, tmp_path
):
    package = write_package("watch", tmp_path)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()

    version, was_there = upload(client, "watch", allow_tags=True, root=checkout)

    assert version.name == f"{revision(checkout)}-{digest[:8]}"
    assert not was_there
    (kept,) = kubeflow.versions.values()
    documents = [*yaml.safe_load_all(package.read_text())]
    assert [*kept["pipeline_spec"].values()] == documents
    assert kept["description"] == (f"{description_of(GRAPHS['watch'])} Package sha256 {digest}")
    (pipeline,) = kubeflow.pipelines.values()
    assert pipeline["display_name"] == "watch-car-detector"


def test_the_same_revision_is_uploaded_once(client, checkout, kubeflow):
    first = upload(client, "watch", allow_tags=True, root=checkout)
    changes = kubeflow.changes()

    second = upload(client, "watch", allow_tags=True, root=checkout)

    assert second.was_there
    assert second.version == first.version
    assert kubeflow.changes() == changes


def test_the_same_revision_with_other_images_is_another_version(client, checkout, monkeypatch):
    from pipelines.kubeflow import versions

    first = upload(client, "watch", allow_tags=True, root=checkout).version
    file = write_package("watch", checkout.parent)
    file.write_text(file.read_text().replace(":dev", ":1.0"))
    monkeypatch.setattr(versions, "write_package", lambda name, folder: file)

    second = upload(client, "watch", allow_tags=True, root=checkout).version

    assert second.name.split("-")[0] == first.name.split("-")[0]
    assert second != first


def test_a_dirty_tree_is_refused_with_the_names_of_what_differs(client, checkout, kubeflow):
    (checkout / "file").write_text("two\n")

    with pytest.raises(UserError, match=r"differs from revision \w{12} in 1 files \(file\)"):
        upload(client, "watch", allow_tags=True, root=checkout)
    assert kubeflow.changes() == []


def test_a_dirty_tree_that_is_allowed_is_called_so(client, checkout):
    (checkout / "new").write_text("two\n")

    version = upload(client, "watch", allow_dirty=True, allow_tags=True, root=checkout).version

    assert version.name.startswith(f"{revision(checkout)}-dirty-")


def test_what_is_no_checkout_has_no_revision(client, tmp_path):
    with pytest.raises(UserError, match="expected a checkout with a commit"):
        upload(client, "watch", root=tmp_path)


def test_an_unknown_pipeline_is_refused_by_name(client, checkout):
    with pytest.raises(UserError, match="'wach' is no pipeline, expected one of train"):
        upload(client, "wach", allow_tags=True, root=checkout)


def test_what_dies_before_its_version_is_uploaded_is_healed_by_the_next(client, checkout, kubeflow):
    def drop(verb, path):
        if (verb, path) == UPLOAD:
            raise ConnectionAbortedError

    kubeflow.before = drop
    with pytest.raises(HostError, match="does not answer"):
        upload(client, "watch", allow_tags=True, root=checkout)
    kubeflow.before = lambda verb, path: None

    assert not upload(client, "watch", allow_tags=True, root=checkout).was_there
    assert (len(kubeflow.pipelines), len(kubeflow.versions)) == (1, 1)


def test_whoever_is_late_takes_what_the_quicker_one_uploaded(client, checkout, kubeflow):
    def overtake(verb, path):
        if (verb, path) == UPLOAD:
            kubeflow.before = lambda verb, path: None
            upload(client, "watch", allow_tags=True, root=checkout)

    kubeflow.before = overtake

    assert upload(client, "watch", allow_tags=True, root=checkout).was_there
    assert len(kubeflow.versions) == 1


def test_the_command_uploads_all_pipelines(command, kubeflow, capsys):
    assert command("upload", "--allow-dirty", "--allow-tags") == 0

    assert len(kubeflow.versions) == len(GRAPHS)
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == ["uploaded"] * len(
        GRAPHS
    )


def test_an_image_without_a_digest_is_refused_before_anything_is_made(client, checkout, kubeflow):
    with pytest.raises(UserError, match=r"\[?digest.*:dev, expected .*@sha256.*--allow-tags"):
        upload(client, "watch", root=checkout)
    assert kubeflow.changes() == []


def test_images_by_digest_need_no_leave(checkout, kubeflow, tmp_path):
    digests = {f"localhost:5000/car-detection/{folder.name}:dev": f"sha256:{'a' * 64}"
               for folder in (ROOT / "images").iterdir()}  # fmt: skip
    (tmp_path / "digests.json").write_text(json.dumps(digests))
    code = (
        "import sys; from pathlib import Path; "
        "from components.shared.kubeflow.client import connect; "
        "from pipelines.kubeflow.versions import upload; "
        "upload(connect(sys.argv[1]), 'watch', root=Path(sys.argv[2]))"
    )
    words = [sys.executable, "-c", code, kubeflow.url, str(checkout)]
    known = {**os.environ, "IMAGE_DIGESTS": str(tmp_path / "digests.json")}
    for name in ("IMAGE_REGISTRY", "IMAGE_TAG"):
        known.pop(name, None)

    subprocess.run(words, cwd=ROOT, env=known, check=True)

    (kept,) = kubeflow.versions.values()
    executors = kept["pipeline_spec"]["pipeline_spec"]["deploymentSpec"]["executors"].values()
    assert all("@sha256:" in one["container"]["image"] for one in executors)


def test_leave_for_tags_is_no_leave_for_anything_else(client, checkout, kubeflow, monkeypatch):
    from pipelines.kubeflow import versions

    file = write_package("watch", checkout.parent)
    file.write_text(file.read_text().replace(":dev", ":latest"))
    monkeypatch.setattr(versions, "write_package", lambda name, folder: file)

    with pytest.raises(UserError, match=r"watch breaks the policy.*tag other than latest"):
        upload(client, "watch", allow_tags=True, root=checkout)
    assert kubeflow.changes() == []


def test_an_older_revision_is_brought_back_by_checking_it_out(client, checkout, capsys):
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false"]
    first = upload(client, "watch", allow_tags=True, root=checkout).version
    (checkout / "file").write_text("two\n")
    subprocess.run([*git, "commit", "-qam", "two"], cwd=checkout, check=True)
    second = upload(client, "watch", allow_tags=True, root=checkout).version
    assert choose(client, "watch", root=checkout) == second

    subprocess.run(["git", "checkout", "-q", "HEAD~1"], cwd=checkout, check=True)
    assert upload(client, "watch", allow_tags=True, root=checkout).was_there
    capsys.readouterr()
    assert choose(client, "watch", root=checkout) == first
    assert capsys.readouterr().err == f"watch-car-detector {first.name}, this checkout's\n"
    assert choose(client, "watch", second.name, root=checkout) == second


def test_what_is_not_uploaded_gives_way_to_the_newest_and_says_so(
    client, checkout, tmp_path, capsys
):
    newest = upload(client, "watch", allow_tags=True, root=checkout).version
    (checkout / "file").write_text("two\n")

    assert choose(client, "watch", root=checkout) == newest
    assert choose(client, "watch", root=tmp_path) == newest
    told = capsys.readouterr().err.splitlines()[-2:]
    assert f"{newest.name}, the newest: {revision(checkout)}-dirty-" in told[0]
    assert told[1].endswith("the newest: no checkout is not uploaded")
