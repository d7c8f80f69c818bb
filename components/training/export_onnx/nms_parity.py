"""Check that NMS inside an ONNX graph gives the same boxes as NMS outside of it (parity)."""

from collections.abc import Iterable, Sequence

import numpy as np

from components.shared.contracts.errors import UserError
from components.shared.contracts.model import (
    BOXES,
    FOUND_BOXES,
    FOUND_CLASSES,
    FOUND_SCORES,
    SCORES,
)
from components.shared.inference.detector import Detector
from components.shared.vision.suppression import suppress
from components.training.export_onnx.pictures import Look, inputs_of

MAX_DIFFERENT_SHARE = 0.01  # of all looks: overlaps that stand at the threshold by the last digit


def check_inside(detector: Detector, pictures: Iterable[Sequence[Look]]) -> str:
    """Return a sentence on success; refuse a graph whose boxes or their order differ.

    Args:
        detector: A package with suppression inside.
        pictures: The looks at each picture; they are asked about in one call.

    Raises:
        UserError: If more than one look in a hundred is answered differently.
    """
    looks = apart = 0
    for each in pictures:
        looks += len(each)
        apart += _apart(detector, each)
    sentence = (
        f"suppression inside the graph equals suppression outside on {looks - apart} of {looks} "
        "crops"
    )
    if apart > MAX_DIFFERENT_SHARE * looks:
        raise UserError(f"{sentence}, expected at least {1 - MAX_DIFFERENT_SHARE:.0%}")
    return sentence


def _apart(detector: Detector, looks: Sequence[Look]) -> int:
    """Return at how many looks the two differ."""
    tensors = detector.tensors(inputs_of(looks))
    differ = 0
    for at in range(len(looks)):
        left = suppress(tensors[BOXES][at], tensors[SCORES][at], detector.info.postprocessing)
        count = int((tensors[FOUND_SCORES][at] > 0).sum())
        found = [tensors[name][at][:count] for name in (FOUND_BOXES, FOUND_SCORES, FOUND_CLASSES)]
        differ += not all(map(np.array_equal, left, found))
    return differ
