"""Run every model on every image (predict), and measure its latency.

All models see an image in one pass, so that they are measured under the same condition.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.policy import EvaluationPolicy
from components.shared.contracts.report import ReferenceFrame
from components.shared.contracts.snapshot import SnapshotImage
from components.shared.inference.detector import Detector
from components.shared.vision.descriptors import describe
from components.shared.vision.jpeg import decode_jpeg

MIN_SCORE = 0.01  # boxes below it change no COCO metric visibly
TIMED_IMAGES = EvaluationPolicy().max_timed_images


@dataclass(frozen=True, slots=True)
class Predictions:
    """The boxes and latencies of one model.

    Attributes:
        detector: The model.
        boxes: All boxes down to `MIN_SCORE`, by the SHA-256 of their image.
        frames: The boxes that it would serve, with the descriptors of the picture.
        latency_ms: CPU time of each timed image, from JPEG to served boxes, one thread.
    """

    detector: Detector
    boxes: dict[str, tuple[ScoredBox, ...]] = field(default_factory=dict)
    frames: list[ReferenceFrame] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)

    def served(self, boxes: Iterable[ScoredBox]) -> tuple[ScoredBox, ...]:
        """Return the boxes at or above the score threshold of the package."""
        least = self.detector.info.postprocessing.score_threshold
        return tuple(box for box in boxes if box.score >= least)

    def latency(self, percent: float) -> float:
        """Return a percentile of the latency, in ms."""
        return float(np.percentile(self.latency_ms, percent))


def predict(
    detectors: Mapping[str, Detector],
    images: Sequence[SnapshotImage],
    read: Callable[[str], bytes],
    follow: Callable[[int], None] = lambda done: None,
    timed: int = TIMED_IMAGES,
) -> dict[str, Predictions]:
    """Run every model on every image.

    Args:
        detectors: The models by digest.
        images: The images, at least one.
        read: Returns the JPEG of a SHA-256.
        follow: Called after each image with the number that are done.
        timed: Number of images on which latency is measured.

    Returns:
        Predictions by digest.
    """
    answers = {digest: Predictions(detector) for digest, detector in detectors.items()}
    for done, image in enumerate(images, 1):
        picture = decode_jpeg(read(image.sha256))
        for answer in answers.values():
            found = answer.detector.detect(picture, MIN_SCORE)
            answer.boxes[image.sha256] = found
            served = answer.served(found)
            answer.frames.append(
                ReferenceFrame(
                    sha256=image.sha256, camera=image.camera, boxes=served,
                    descriptors=describe(picture, served),
                )
            )  # fmt: skip
        follow(done)
    _time(answers, [read(image.sha256) for image in evenly(images, timed)])
    return answers


def evenly(images: Sequence[SnapshotImage], count: int) -> list[SnapshotImage]:
    """Return at most `count` images, spread over all.

    Args:
        images: The images, in order.
        count: Maximum number of images.

    >>> evenly("abcdefgh", 3)
    ['a', 'c', 'f']
    """
    count = min(count, len(images))
    return [images[place * len(images) // count] for place in range(count)]


def _time(answers: Mapping[str, Predictions], jpegs: Sequence[bytes]) -> None:
    # CPU time of this thread does not move when others use the cores; wall time does.
    for jpeg in jpegs:
        for answer in answers.values():
            start = time.thread_time()
            answer.detector.detect_jpeg(jpeg)
            answer.latency_ms.append((time.thread_time() - start) * 1000)
