import json
from pathlib import Path

import pytest

from components.promotion.deploy_model.kserve.release import (
    shelved,
    triton_repository,
    triton_version,
)
from components.promotion.deploy_model.packages import keep, registered
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import PackageLayout
from components.shared.inference.package_store import PackageStore
from components.shared.inference.signature import check_signature, make_keys
from components.shared.store.objects import Objects
from tests.support.kserve_releases import proved, registered_model, released_to


@pytest.fixture
def objects(object_store):
    return Objects(object_store)


@pytest.fixture
def models(objects, tiny_package):
    return {
        name: registered_model(objects, tiny_package(dataset=name)) for name in ("toys", "buses")
    }


def test_a_release_is_a_shelf_with_a_current_package_of_each_dataset(objects, models, tmp_path):
    released_to(tmp_path / "shelf", objects, models)
    package_store = PackageStore(tmp_path / "shelf")

    assert package_store.datasets() == ["buses", "toys"]
    assert {name: package_store.current(name) for name in models} == models
    for name, digest in models.items():
        assert PackageLayout(package_store.package(name, digest)).verify().digest == digest


def test_the_same_models_are_the_same_release_and_copied_once(objects, models):
    first = shelved(objects, proved(objects, models), models)
    marker = f"{objects.key(first.uri)}/release.json"
    objects.put(marker, b"left alone")

    assert shelved(objects, proved(objects, models), dict(reversed(models.items()))) == first
    assert objects.get(marker) == b"left alone"


def test_a_release_that_was_cut_short_is_written_again(objects, models, tmp_path):
    release = shelved(objects, proved(objects, models), models)
    for name in ("release.json", "toys/current"):
        objects.delete(f"{objects.key(release.uri)}/{name}")
    released_to(tmp_path / "shelf", objects, models)

    assert PackageStore(tmp_path / "shelf").current("toys") == models["toys"]


def test_a_release_carries_signatures_and_a_new_signature_is_a_new_release(
    objects, models, tiny_package, tmp_path
):
    unsigned = shelved(objects, proved(objects, models), models)
    keys = make_keys(tmp_path / "keys")
    registered_model(objects, tiny_package(dataset="toys"), keys.private)
    signed = released_to(tmp_path / "shelf", objects, models)
    package_store = PackageStore(tmp_path / "shelf")

    assert signed.digest != unsigned.digest
    check_signature(
        package_store.package("toys", models["toys"]),
        package_store.signature("toys", models["toys"]),
        keys.public,
    )


def test_a_model_that_is_not_registered_is_not_released(objects):
    with pytest.raises(UserError, match=r"no package\.json"):
        proved(objects, {"toys": "0" * 64})


def test_tritons_repository_has_a_version_that_tells_the_model(objects, models, tmp_path):
    release = triton_repository(objects, proved(objects, models), models)
    objects.get_folder(objects.key(release.uri), tmp_path)
    version = triton_version(models["toys"])

    assert (tmp_path / f"toys/{version}/model.onnx").exists()
    assert (tmp_path / "toys/config.pbtxt").read_text() == 'name: "toys"\n'
    assert f"{version:012x}" == models["toys"][:12]
    assert json.loads((tmp_path / "release.json").read_text()) == models


def test_a_kept_package_has_its_signature_beside_it(objects, tiny_package, tmp_path):
    keys = make_keys(tmp_path / "keys")
    model = registered_model(objects, tiny_package(), keys.private)
    package_store = PackageStore(tmp_path / "shelf")
    folder = keep(package_store, "toys", model, registered(objects, model))

    check_signature(folder, package_store.signature("toys", model), keys.public)
    assert sorted(path.name for path in (package_store.root / "toys").iterdir()) == [
        model,
        f"{model}.sig",
    ]


def test_a_package_that_was_signed_since_gets_its_signature_and_stays(
    objects, tiny_package, tmp_path
):
    package, package_store = tiny_package(), PackageStore(tmp_path / "shelf")
    model = registered_model(objects, package)
    folder = keep(package_store, "toys", model, registered(objects, model))
    inode = folder.stat().st_ino
    registered_model(objects, package, make_keys(tmp_path / "keys").private)
    keep(package_store, "toys", model, registered(objects, model))

    assert package_store.signature("toys", model).exists()
    assert Path(folder).stat().st_ino == inode


def test_after_a_key_rotation_the_new_signature_takes_the_place_of_the_old_one(
    objects, tiny_package, tmp_path
):
    package, package_store = tiny_package(), PackageStore(tmp_path / "shelf")
    model = registered_model(objects, package, make_keys(tmp_path / "old").private)
    folder = keep(package_store, "toys", model, registered(objects, model))
    inode = folder.stat().st_ino
    new = make_keys(tmp_path / "new")
    registered_model(objects, package, new.private)

    keep(package_store, "toys", model, registered(objects, model), anew=True)

    check_signature(folder, package_store.signature("toys", model), new.public)
    assert folder.stat().st_ino == inode
    assert sorted(path.name for path in (package_store.root / "toys").iterdir()) == [
        model,
        f"{model}.sig",
    ]
