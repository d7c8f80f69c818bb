"""Copy a registered package with its signature into a package store, and verify it."""

import shutil
from functools import partial
from pathlib import Path

from components.promotion.deploy_model.target import Fetch
from components.shared.contracts.model import PackageError, PackageLayout, RegisteredLayout
from components.shared.inference.package_store import PackageStore
from components.shared.store.objects import Objects


def registered(objects: Objects, model: str) -> Fetch:
    """Return a function that copies a registered package to a folder, a `RegisteredLayout`.

    Args:
        objects: The object store.
        model: Digest of the package, 64 hexadecimal digits.
    """
    return partial(_copy, objects, RegisteredLayout.prefix(model))


def _copy(objects: Objects, prefix: str, folder: Path) -> None:
    layout = RegisteredLayout(folder)
    objects.get_folder(f"{prefix}/{layout.package.name}", layout.package)
    if objects.exists(f"{prefix}/{layout.signature.name}"):
        layout.signature.write_bytes(objects.get(f"{prefix}/{layout.signature.name}"))


def keep(
    package_store: PackageStore, dataset: str, model: str, fetch: Fetch, *, anew: bool = False
) -> Path:  # fmt: skip
    """Return a verified copy of a package, fetched to a temporary folder if it is missing.

    Args:
        package_store: Store for the package and its signature.
        dataset: Name of the dataset.
        model: Digest of the package.
        fetch: Fills a folder laid out as `RegisteredLayout`.
        anew: Whether to fetch in any case, and to replace the signature: the package may have
            been signed with another key since.

    Raises:
        PackageError: If the fetched package has another digest.
    """
    folder, signature = (
        package_store.package(dataset, model),
        package_store.signature(dataset, model),
    )
    whole = _is_package(folder, model)
    if whole and signature.exists() and not anew:
        return folder
    fresh = RegisteredLayout(folder.with_suffix(".part"))
    shutil.rmtree(fresh.root, ignore_errors=True)  # may be left by a killed run
    fresh.package.mkdir(parents=True)
    fetch(fresh.root)
    found = PackageLayout(fresh.package).verify().digest
    if found != model:
        raise PackageError(f"the package stored for {model[:12]} is {found[:12]}")
    if fresh.signature.exists():
        fresh.signature.replace(signature)
    if not whole:
        shutil.rmtree(folder, ignore_errors=True)
        fresh.package.rename(folder)
    shutil.rmtree(fresh.root)
    return folder


def _is_package(folder: Path, model: str) -> bool:
    try:
        return PackageLayout(folder).verify().digest == model
    except PackageError:
        return False
