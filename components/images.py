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
    IMAGE_DIGESTS names knows what was pushed under that tag, its digest takes the tag's
    place, so that what was compiled runs on the same bytes for ever. Where that is not set
    it is what was pushed from here last; empty, it is none.

    >>> image("trainer")
    'localhost:5000/car-detection/trainer:dev'
    """
    registry = os.environ.get("IMAGE_REGISTRY", "localhost:5000/car-detection")
    tagged = f"{registry}/{name}:{os.environ.get('IMAGE_TAG', 'dev')}"
    record = os.environ.get("IMAGE_DIGESTS", str(PUSHED) if PUSHED.is_file() else "")
    pushed = json.loads(Path(record).read_text()) if record else {}
    return f"{registry}/{name}@{pushed[tagged]}" if tagged in pushed else tagged
