"""What is fetched is what was registered, byte for byte, or nothing with a reason."""

from pathlib import Path

from components.contracts.model import (
    PackageError,
    PackageLayout,
    RegisteredLayout,
    mark_absent,
)
from components.contracts.progress import say
from components.store.objects import Objects
from components.store.registry import Registry, Version


def fetch(registry: Registry, objects: Objects, dataset: str, folder: str | Path) -> Version | None:
    """Copy the champion of a dataset to a folder.

    Args:
        registry: Knows who serves.
        objects: Holds its files.
        dataset: Whose champion.
        folder: Becomes a `RegisteredLayout`, or says why there is no champion.

    Returns:
        The champion, or None before the first.

    Raises:
        PackageError: If the stored package is not the one that was registered.
    """
    champion = registry.champion(dataset)
    if champion is None:
        reason = f"no model of {dataset} is in service yet"
        mark_absent(folder, reason)
        say(reason)
        return None
    objects.get_folder(RegisteredLayout.prefix(champion.model), folder)
    found = PackageLayout(RegisteredLayout(folder).package).verify().digest
    if found != champion.model:
        raise PackageError(f"{champion.name}: the object store holds model {found[:12]} instead")
    say(f"{champion.name} is in service")
    return champion
