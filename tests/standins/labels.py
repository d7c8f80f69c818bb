"""Objects of Kubernetes by their labels."""

from collections.abc import Iterable
from typing import Any

Object = dict[str, Any]


def selected(objects: Iterable[Object], selector: str) -> list[Object]:
    """Return the objects that have every label of a selector such as `app=a,side=b`."""
    wanted = dict(pair.split("=") for pair in selector.split(",") if pair).items()
    return [each for each in objects if wanted <= labels_of(each).items()]


def labels_of(found: Object) -> dict[str, str]:
    """Return the labels of an object."""
    return found["metadata"].get("labels") or {}
