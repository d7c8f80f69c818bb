"""Find near-duplicate images across splits, and which of them to leave out."""

from collections.abc import Mapping

import numpy as np

from components.shared.contracts.events import SPLITS, Split
from components.shared.contracts.policy import SplitPolicy
from components.shared.vision.phash import BITS, Hash, near_duplicates

POLICY = SplitPolicy()


def bridges(
    splits: Mapping[str, Split], hashes: Mapping[str, Hash], policy: SplitPolicy = POLICY
) -> list[str]:
    """Return the images to leave out so that no near-duplicates are in two splits.

    Of two, the one in the training images leaves before one in validation, and a test
    image never leaves: the test set stays what it was.

    Args:
        splits: Image to its split.
        hashes: Image to its `vision.phash`; an image without one bridges nothing.
        policy: Gives the distance of near-duplicates.

    Returns:
        Digests of images, sorted.
    """
    alike: dict[tuple[bytes, Split], list[str]] = {}
    for sha256, hash_ in hashes.items():
        alike.setdefault((hash_.tobytes(), splits[sha256]), []).append(sha256)
    kinds = sorted(alike)
    table = np.frombuffer(b"".join(hash_ for hash_, _ in kinds), np.uint8).reshape(-1, BITS // 8)
    leaving: set[str] = set()
    for pair in near_duplicates(table, policy.max_near_duplicate_bits):
        first, second = sorted((kinds[place] for place in pair), key=_rank)
        if first[1] != second[1]:
            leaving.update(alike[first])
    return sorted(leaving)


def _rank(kind: tuple[bytes, Split]) -> int:
    return SPLITS.index(kind[1])
