"""Check parity of the exported ONNX graph with the trained network on real images."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import starmap

import numpy as np
from numpy.typing import NDArray

from components.shared.contracts.errors import UserError
from components.shared.contracts.model import Postprocessing
from components.shared.contracts.policy import ExportPolicy
from components.shared.contracts.report import NOT_MEASURABLE
from components.shared.inference.picture import Raw
from components.shared.vision.precision import Detections, mean_precision
from components.shared.vision.suppression import suppress
from components.training.export_onnx.pictures import RATIOS, Look, inputs_of

Floats = NDArray[np.float32]
Network = Callable[[Floats], Raw]

POLICY = ExportPolicy()
JUDGED = Postprocessing(score_threshold=0.01, candidates=400)  # of the boxes of a picture

PAGE = """\
| | largest difference | allowed |
|---|---|---|
| boxes | {pixels:.2g} px | {most_pixels:g} px |
| scores | {score:.2g} | {most_score:g} |
| embedding | {embedding:.2g} | not limited |
| mAP50-95 after suppression | {apart} | {most_apart:.2g} |

The exported graph in ONNX Runtime is compared with the trained network in TensorFlow on \
{images}, each cropped to {ratios}. All anchors count. {precisions}.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """Largest differences between two implementations of one network.

    Attributes:
        pictures: Number of real images.
        looks: Number of their crops.
        pixels: Largest difference of a box edge, in pixels of the network's input.
        score: Largest difference of a score.
        embedding: Largest difference of a feature, as a fraction of the largest feature.
        trained: mAP50-95 of the trained network after suppression, 0 to 1; NaN without objects.
        exported: That of the exported graph.
        objects: True boxes in all looks.
        policy: The tolerances.
    """

    pictures: int
    looks: int
    pixels: float
    score: float
    embedding: float
    trained: float
    exported: float
    objects: int
    policy: ExportPolicy = POLICY

    @property
    def apart(self) -> float:
        """Difference of the two in mAP50-95; NaN if there is no object to measure it on."""
        return abs(self.trained - self.exported)

    @property
    def apart_text(self) -> str:
        """The difference as text."""
        return f"{self.apart:.2g}" if self.objects else NOT_MEASURABLE

    @property
    def most_apart(self) -> float:
        """Tolerance of mAP; one box of a few that crosses an overlap threshold may be more."""
        return max(self.policy.max_map_difference, 0.1 / max(self.objects, 1))

    @property
    def images_text(self) -> str:
        """The numbers of images and crops as text."""
        images = "1 image" if self.pictures == 1 else f"{self.pictures} images"
        return f"{images} ({self.looks} crops)"

    @property
    def precision_text(self) -> str:
        """The mAP50-95 of both as text."""
        if not self.objects:
            return f"mAP50-95 {NOT_MEASURABLE}"
        trained, exported = (f"{value:.5f}" for value in (self.trained, self.exported))
        if trained == exported:
            return f"mAP50-95 {trained} in both"
        return f"mAP50-95 {trained} in TensorFlow and {exported} in ONNX Runtime"

    @property
    def sentence(self) -> str:
        """Return the numbers on one line."""
        return (
            f"the ONNX graph matches the trained network on {self.images_text}: boxes within "
            f"{self.pixels:.2g} px, scores within {self.score:.2g}, {self.precision_text}"
        )

    @property
    def page(self) -> str:
        """Return the numbers as a Markdown table."""
        return PAGE.format(
            pixels=self.pixels, score=self.score, embedding=self.embedding, apart=self.apart_text,
            images=self.images_text, precisions=self.precision_text,
            ratios=", ".join(f"{wide}:{high}" for wide, high in RATIOS),
            most_pixels=self.policy.max_box_difference_px,
            most_score=self.policy.max_score_difference,
            most_apart=self.most_apart,
        )  # fmt: skip

    def check(self) -> None:
        """Refuse differences above the tolerances.

        Raises:
            UserError: If boxes, scores or precision differ by more than is allowed, or are no
                numbers.
        """
        # Written so that NaN, which is not below anything, is refused too.
        pixels, score = self.policy.max_box_difference_px, self.policy.max_score_difference
        close = self.pixels <= pixels and self.score <= score
        if not (close and (self.apart <= self.most_apart or not self.objects)):
            raise UserError(
                f"the ONNX graph differs from the trained network on {self.images_text}: boxes by "
                f"{self.pixels:.2g} px, scores by {self.score:.2g}, mAP50-95 by {self.apart_text}; "
                f"expected at most {pixels} px, {score:g} "
                f"and {self.most_apart:.2g}"
            )


def compare(
    trained: Network,
    exported: Network,
    pictures: Iterable[Sequence[Look]],
    policy: ExportPolicy = POLICY,
) -> Parity:
    """Run two implementations of one network on the same inputs, and return their differences.

    Args:
        trained: The trained network.
        exported: The exported graph.
        pictures: The looks at each picture; they are asked about in one call.
        policy: The tolerances.

    Raises:
        UserError: If the answers are not of one shape.
    """
    worst, largest, shown = np.zeros(3), 1e-12, []
    found: tuple[list[Detections], list[Detections]] = ([], [])
    count = 0
    for looks in pictures:
        count += 1
        inputs = inputs_of(looks)
        answers = trained(inputs), exported(inputs)
        worst = np.maximum(worst, list(map(_worst, Raw._fields, *answers)))
        largest = max(largest, float(np.abs(answers[0].embedding).max(initial=0.0)))
        shown += [look.truth for look in looks]
        for boxes, raw in zip(found, answers, strict=True):
            boxes += found_in(raw)
    precisions = [mean_precision(boxes, shown) for boxes in found]
    return Parity(
        pictures=count, looks=len(shown), pixels=float(worst[0]), score=float(worst[1]),
        embedding=float(worst[2]) / largest, trained=precisions[0], exported=precisions[1],
        objects=sum(len(truth.classes) for truth in shown), policy=policy,
    )  # fmt: skip


def found_in(raw: Raw, rule: Postprocessing = JUDGED) -> list[Detections]:
    """Return the boxes of each input after suppression.

    Args:
        raw: Boxes and scores before suppression.
        rule: Thresholds of the suppression.
    """
    each = ((*one, rule) for one in zip(raw.boxes, raw.scores, strict=True))
    return [Detections(*left) for left in starmap(suppress, each)]


def _worst(name: str, first: Floats, second: Floats) -> float:
    if first.shape != second.shape:
        raise UserError(
            f"{name} of the ONNX graph has the shape {list(second.shape)}, expected "
            f"{list(first.shape)} as in the trained network"
        )
    return float(np.abs(first - second).max(initial=0.0))
