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

DONE = "release.json"  # written last: with it, the folder is whole


@dataclass(frozen=True, slots=True)
class Release:
    """One release.

    Attributes:
        digest: Of its content.
        uri: Where it lies.
        models: Digests of the packages, by dataset.
    """

    digest: str
    uri: str
    models: dict[str, str]


def shelved(objects: Objects, proved: PackageStore, models: Mapping[str, str]) -> Release:
    """Write the release of some models for our own server, unless it is there.

    Args:
        objects: Takes the release.
        proved: Has the packages and their signatures.
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
    """Write the release of some models as a Triton repository, unless it is there.

    Args:
        objects: Takes the release.
        proved: Has the packages; Triton itself checks nothing.
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
    """Put files into the folder that their content names."""
    digest = digest_of({name: digest_bytes(content) for name, content in files.items()})
    prefix = f"releases/{digest}"
    if not objects.exists(f"{prefix}/{DONE}"):
        for name, content in files.items():
            objects.put(f"{prefix}/{name}", content)
        objects.put(f"{prefix}/{DONE}", canonical(dict(models)).encode())
    return Release(digest, objects.uri(prefix), dict(models))
