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
from components.shared.contracts.policy import ExportPolicy
from components.shared.inference.detector import Detector
from components.shared.vision.suppression import suppress
from components.training.export_onnx.pictures import Look, inputs_of

POLICY = ExportPolicy()


def check_inside(
    detector: Detector, pictures: Iterable[Sequence[Look]], policy: ExportPolicy = POLICY
) -> str:
    """Return a sentence on success; refuse a graph whose boxes or their order differ.

    Args:
        detector: A package with suppression inside.
        pictures: The looks at each picture; they are asked about in one call.
        policy: Tolerance; overlaps may stand at the threshold by the last digit.

    Raises:
        UserError: If more looks than the policy allows are answered differently.
    """
    looks = apart = 0
    for each in pictures:
        looks += len(each)
        apart += _apart(detector, each)
    sentence = (
        f"suppression inside the graph equals suppression outside on {looks - apart} of {looks} "
        "crops"
    )
    if apart > policy.max_suppression_difference * looks:
        least = 1 - policy.max_suppression_difference
        raise UserError(f"{sentence}, expected at least {least:.0%}")
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
