"""Fetch a registered model from the object store, and verify it byte for byte.

Where there is no champion, or a damaged one, the artifact holds the reason.
"""

import shutil
from pathlib import Path

from components.shared.contracts.absence import mark_absent
from components.shared.contracts.model import PackageError, PackageLayout, RegisteredLayout
from components.shared.contracts.progress import log_progress
from components.shared.store.objects import Objects
from components.shared.store.registry import Registry, Version

CHAMPION = "champion"


def fetch(
    registry: Registry, objects: Objects, dataset: str, name: str, folder: str | Path, *,
    must_be_whole: bool = False,
) -> Version | None:  # fmt: skip
    """Copy a registered model of a dataset to a folder.

    Args:
        registry: The model registry.
        objects: The object store with the files.
        dataset: Name of the dataset.
        name: Digest of the model, or an alias.
        folder: Becomes a `RegisteredLayout`, or holds the reason why there is no champion.
        must_be_whole: Whether a damaged champion is an error, and not absent.

    Returns:
        The version. None if there is no champion yet, or if its files are damaged: the folder
        holds the reason then, and the pipeline continues.

    Raises:
        PackageError: If a package that is not the champion, or one that must be whole, is damaged.
        UserError: If there is no such model.
    """
    version = registry.champion(dataset) if name == CHAMPION else registry.named(dataset, name)
    if version is None:
        reason = f"{dataset} has no champion yet"
        mark_absent(folder, reason)
        log_progress(reason)
        return None
    try:
        objects.get_folder(RegisteredLayout.prefix(version.model), folder)
        _check(RegisteredLayout(folder), version)
    except PackageError as fault:
        if name != CHAMPION or must_be_whole:
            raise
        shutil.rmtree(folder, ignore_errors=True)
        mark_absent(folder, f"{version.name} is damaged in the object store: {fault}", damaged=True)
        log_progress(f"{version.name} is damaged in the object store: {fault}")
        return None
    log_progress(f"{version.name} is {'in service' if name == CHAMPION else 'fetched'}")
    return version


def _check(stored: RegisteredLayout, version: Version) -> None:
    found = PackageLayout(stored.package).verify().digest
    if found != version.model:
        raise PackageError(f"{version.name}: the folder has model {found[:12]}")
