"""What a server on a cluster may assume: a read-only release, signed, whole or not at all."""

import asyncio
import shutil

import pytest

from components.serving.serve_detector.repository import Repository
from components.serving.serve_detector.service import load
from components.shared.contracts.errors import UserError
from components.shared.inference.package_store import PackageStore
from components.shared.inference.signature import make_keys, sign
from components.shared.store.objects import Objects
from tests.support.kserve_releases import registered_model, released_to
from tests.support.tiny_packages import jpeg_of, scene

JPEG = jpeg_of(scene({(1, 2): 0}))


def test_two_datasets_are_served_from_a_release_that_nobody_may_write(
    tmp_path, tiny_package, object_store, start_server
):
    objects, keys = Objects(object_store), make_keys(tmp_path / "keys")
    models = {
        "toys": registered_model(objects, tiny_package(), keys.private),
        "buses": registered_model(
            objects, tiny_package(dataset="buses", classes=("bus",)), keys.private
        ),
    }
    released_to(tmp_path / "models", objects, models)
    for path in (tmp_path / "models").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)

    server = start_server(SIGNING_PUBLIC_KEY=str(keys.public))
    answers = {name: server.detect(JPEG, name).json() for name in models}

    assert {name: answer["model"] for name, answer in answers.items()} == models
    assert answers["buses"]["boxes"][0]["label"] == "bus"


def test_an_unsigned_package_is_refused_at_load_and_the_old_one_stays(tmp_path, tiny_package):
    package_store, keys = PackageStore(tmp_path / "models"), make_keys(tmp_path / "keys")
    repository = Repository(package_store, keys.public)
    first, second = put(package_store, tiny_package()), put(package_store, tiny_package(shift=3))
    sign(package_store.package("toys", first), package_store.signature("toys", first), keys.private)
    package_store.set_current("toys", first)
    asyncio.run(repository.load("toys"))
    package_store.set_current("toys", second)

    with pytest.raises(UserError, match="has no signature"):
        asyncio.run(repository.load("toys"))
    assert repository.get_model("toys").detector.digest == first


def test_a_strict_server_serves_all_packages_or_none_with_the_reason(tmp_path, tiny_package):
    package_store = PackageStore(tmp_path / "models")
    package_store.set_current("toys", put(package_store, tiny_package()))
    package_store.set_current("buses", "0" * 64)

    with pytest.raises(UserError, match=r"buses is not served: 0000.*no package\.json"):
        load(Repository(package_store), strict=True)


def test_a_strict_server_does_not_start_with_nothing_to_serve(tmp_path):
    with pytest.raises(UserError, match="holds no package"):
        load(Repository(PackageStore(tmp_path)), strict=True)


def put(package_store, package):
    digest = package.verify().digest
    shutil.copytree(package.root, package_store.package("toys", digest))
    return digest
