"""Registered models and releases, as a rollout on KServe finds them."""

import tempfile
from pathlib import Path

from components.promotion.deploy_model.kserve.release import (
    Release,
    shelved,
)
from components.promotion.deploy_model.packages import keep, registered
from components.shared.contracts.model import RegisteredLayout
from components.shared.inference.package_store import PackageStore
from components.shared.inference.signature import sign


def registered_model(objects, package, key=None):
    """Store a package as `register_model` does, and return its digest."""
    digest = package.verify().digest
    layout = RegisteredLayout(RegisteredLayout.prefix(digest))
    objects.put_folder(str(layout.package), package.root)
    if key:
        signature = package.root.with_suffix(".sig")
        sign(package.root, signature, key)
        objects.put(str(layout.signature), signature.read_bytes())
    return digest


def released_to(folder, objects, models):
    """Release models and download the release, as KServe's storage initializer does."""
    release = shelved(objects, proved(objects, models), models)
    objects.get_folder(objects.key(release.uri), folder)
    return release


OLD, NEW, BUSES = "a" * 64, "b" * 64, "c" * 64


def release(letter="1", **models):
    return Release(letter * 64, f"s3://models/releases/{letter * 64}", models)


def proved(objects, models):
    """Copy registered packages to a package store, as they are before they are released."""
    package_store = PackageStore(
        tempfile.mkdtemp(dir=Path(objects.url.removeprefix("file://")).parent)
    )
    for dataset, model in models.items():
        keep(package_store, dataset, model, registered(objects, model))
    return package_store
