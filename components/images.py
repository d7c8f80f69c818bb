"""Where the images of the components are: the one place that names a registry and a tag."""

import os


def image(name: str) -> str:
    """Return the reference of one of the images under `images/`.

    The registry and the tag (or digest) are read when a pipeline is compiled, from
    IMAGE_REGISTRY and IMAGE_TAG; without them the references are those of a laptop.

    >>> image("trainer")
    'localhost:5000/car-detection/trainer:dev'
    """
    registry = os.environ.get("IMAGE_REGISTRY", "localhost:5000/car-detection")
    tag = os.environ.get("IMAGE_TAG", "dev")
    separator = "@" if tag.startswith("sha256:") else ":"
    return f"{registry}/{name}{separator}{tag}"
