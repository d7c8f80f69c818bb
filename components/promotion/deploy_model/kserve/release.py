"""Write a release: the packages, one for each dataset, that one predictor serves.

It is an immutable folder `releases/<digest>/` of the object store, where the digest names its
content, written from copies that were verified just before. For our own server it has the
layout of a package store, and can be mounted read-only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from components.shared.contracts.model import PackageLayout
from components.shared.contracts.record import canonical, digest_of
from components.shared.inference.package_store import PackageStore
from components.shared.store.objects import Objects, digest_bytes

DONE = "release.json"  # written last: the folder is complete if it exists


@dataclass(frozen=True, slots=True)
class Release:
    """One release.

    Attributes:
        digest: Digest of its content.
        uri: Address in the object store.
        models: Digests of the packages, by dataset.
    """

    digest: str
    uri: str
    models: dict[str, str]


def shelved(objects: Objects, proved: PackageStore, models: Mapping[str, str]) -> Release:
    """Write a release for our own server, unless it exists.

    Args:
        objects: The object store to write to.
        proved: Package store with the verified packages and their signatures.
        models: Digests of packages, by dataset.
    """
    files: dict[str, bytes] = {}
    for dataset, model in sorted(models.items()):
        package, signature = proved.package(dataset, model), proved.signature(dataset, model)
        paths = [path for path in sorted(package.rglob("*")) if path.is_file()]
        paths += [signature] if signature.exists() else []
        files |= {str(path.relative_to(proved.root)): path.read_bytes() for path in paths}
        files[f"{dataset}/current"] = f"{model}\n".encode()
    return _written(objects, models, files)


def triton_repository(objects: Objects, proved: PackageStore, models: Mapping[str, str]) -> Release:
    """Write a release as a Triton model repository, unless it exists.

    Args:
        objects: The object store to write to.
        proved: Package store with the verified packages; Triton itself verifies nothing.
        models: Digests of packages, by dataset.
    """
    files = {}
    for dataset, model in sorted(models.items()):
        package = PackageLayout(proved.package(dataset, model))
        version = triton_version(model)
        files[f"{dataset}/{package.triton.name}"] = package.triton.read_bytes()
        files[f"{dataset}/{version}/{package.model.name}"] = package.model.read_bytes()
    return _written(objects, models, files)


def triton_version(model: str) -> int:
    """Return the version of a model in a Triton repository, which must be a number.

    >>> triton_version("00000000001f" + "0" * 52)
    31
    """
    return int(model[:12], 16) or 1


def _written(objects: Objects, models: Mapping[str, str], files: Mapping[str, bytes]) -> Release:
    """Write files to the folder that is named by their digest."""
    digest = digest_of({name: digest_bytes(content) for name, content in files.items()})
    prefix = f"releases/{digest}"
    if not objects.exists(f"{prefix}/{DONE}"):
        for name, content in files.items():
            objects.put(f"{prefix}/{name}", content)
        objects.put(f"{prefix}/{DONE}", canonical(dict(models)).encode())
    return Release(digest, objects.uri(prefix), dict(models))
