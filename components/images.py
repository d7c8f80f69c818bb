"""Container image references of the components, from registry, tag and pushed digests.

No other file names a registry or a tag.
"""

import json
import os
from pathlib import Path

PUSHED = Path(__file__).parents[1] / "build/digests.json"  # which `make push` writes


def image(name: str) -> str:
    """Return the reference of one of the images under `images/`.

    The registry and the tag are read when a pipeline is compiled, from IMAGE_REGISTRY and
    IMAGE_TAG; without them the references are those of a laptop. If the file that
    IMAGE_DIGESTS names has the digest that was pushed under that tag, it replaces the tag,
    so that the compiled pipeline always runs the same bytes. If IMAGE_DIGESTS is not set,
    `build/digests.json` of the last `make push` is read; if it is empty, none.

    Args:
        name: Folder below `images`, such as `trainer`.

    >>> image("trainer")
    'localhost:5000/car-detection/trainer:dev'
    """
    registry = os.environ.get("IMAGE_REGISTRY", "localhost:5000/car-detection")
    tagged = f"{registry}/{name}:{os.environ.get('IMAGE_TAG', 'dev')}"
    record = os.environ.get("IMAGE_DIGESTS", str(PUSHED) if PUSHED.is_file() else "")
    pushed = json.loads(Path(record).read_text()) if record else {}
    return f"{registry}/{name}@{pushed[tagged]}" if tagged in pushed else tagged
