"""Int8 gate: offer int8 only if it loses hardly any mAP against float32 on held-out images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import thread_time

from components.shared.contracts.change_text import gain_text
from components.shared.contracts.policy import ExportPolicy
from components.shared.contracts.report import NOT_MEASURABLE, precision_text
from components.shared.inference.picture import Raw
from components.shared.vision.precision import Detections, GroundTruth, mean_precision
from components.training.export_onnx.parity import Floats, Network, found_in
from components.training.export_onnx.pictures import LabelledImage, Size, inputs_of, whole

POLICY = ExportPolicy()

PAGE = """
| | float32 | int8 |
|---|---|---|
| mAP50-95 | {float32} | {int8} |
| CPU time an image, one thread | {float32_ms:.1f} ms | {int8_ms:.1f} ms |

{sentence}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionComparison:
    """The int8 graph compared with the float32 graph of the same network.

    Attributes:
        images: Number of images of the validation split.
        float32: mAP50-95 in float32, 0 to 1; NaN if no image has a box.
        int8: mAP50-95 in 8 bits.
        float32_ms: Median CPU time of one input in float32, one thread.
        int8_ms: The same in 8 bits.
        max_map_loss: Loss of mAP50-95 up to which int8 is accepted.
    """

    images: int
    float32: float
    int8: float
    float32_ms: float
    int8_ms: float
    max_map_loss: float = POLICY.max_int8_map_loss

    @property
    def accepted(self) -> bool:
        """Whether int8 loses little enough to be offered; False if float32 finds nothing."""
        return self.float32 > 0 and self.float32 - self.int8 <= self.max_map_loss

    @property
    def sentence(self) -> str:
        """Return the decision with its reason."""
        if math.isnan(self.float32):
            return (
                f"package stays in float32: the loss of int8 is {NOT_MEASURABLE}, since none of "
                f"{self.images} validation images has a box"
            )
        if not self.float32:
            return (
                "package stays in float32: the loss of int8 means nothing, since float32 has "
                f"mAP50-95 0 on {self.images} validation images"
            )
        gain = gain_text(100 * (self.int8 - self.float32), 2)
        verdict = "package is in int8" if self.accepted else "package stays in float32"
        return (
            f"{verdict}: int8 changes mAP50-95 by {gain} points on {self.images} validation "
            f"images, at most -{100 * self.max_map_loss:g} is allowed"
        )

    @property
    def page(self) -> str:
        """Return the numbers and the sentence as Markdown."""
        return PAGE.format(
            float32=precision_text(self.float32, 4), int8=precision_text(self.int8, 4),
            float32_ms=self.float32_ms, int8_ms=self.int8_ms, sentence=self.sentence,
        )  # fmt: skip


def compare_precisions(
    float32: Network,
    int8: Network,
    pictures: Sequence[LabelledImage],
    size: Size,
    policy: ExportPolicy = POLICY,
) -> PrecisionComparison:
    """Run both graphs on every image in turn, and measure mAP and latency.

    Args:
        float32: The exported graph.
        int8: The same, quantised.
        pictures: Of the validation split, at least one.
        size: Width and height of the network's input.
        policy: Gives the loss up to which int8 is accepted.
    """
    sides = (float32, int8)
    found: tuple[list[Detections], list[Detections]] = ([], [])
    seconds: tuple[list[float], list[float]] = ([], [])
    shown: list[GroundTruth] = []
    for picture in pictures:
        look = whole(picture, size)
        inputs = inputs_of([look])
        shown.append(look.truth)
        for side, boxes, taken in zip(sides, found, seconds, strict=True):
            boxes += found_in(_timed(side, inputs, taken))
    precisions = [mean_precision(boxes, shown) for boxes in found]
    milliseconds = [1000 * median(taken) for taken in seconds]
    return PrecisionComparison(
        images=len(pictures), float32=precisions[0], int8=precisions[1],
        float32_ms=milliseconds[0], int8_ms=milliseconds[1],
        max_map_loss=policy.max_int8_map_loss,
    )  # fmt: skip


def _timed(network: Network, inputs: Floats, taken: list[float]) -> Raw:
    start = thread_time()
    raw = network(inputs)
    taken.append(thread_time() - start)
    return raw
