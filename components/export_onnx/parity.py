"""The exported graph says what the trained network said, on real pictures, or is not exported."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.contracts.refusal import Refusal

Floats = NDArray[np.float32]

MOST_PIXELS = 0.05
MOST_SCORE = 1e-4

PAGE = """\
| output | worst difference | allowed |
|---|---|---|
| boxes | {pixels:.2g} px | {most_pixels:g} px |
| scores | {score:.2g} | {most_score:g} |
| embedding | {embedding:.2g} | not judged |

TensorFlow against ONNX Runtime, every anchor of {images} real pictures.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """The worst differences between two ways to run one network.

    Attributes:
        images: How many pictures were compared.
        pixels: Of a box's edge, in pixels of the network's input.
        score: Of a score.
        embedding: Of a feature, as a fraction of the largest.
    """

    images: int
    pixels: float
    score: float
    embedding: float

    @property
    def sentence(self) -> str:
        """Say the numbers in one line."""
        images = "1 image" if self.images == 1 else f"{self.images} images"
        return f"parity on {images}: boxes {self.pixels:.2g} px, scores {self.score:.2g}"

    @property
    def page(self) -> str:
        """Return the numbers as a Markdown table."""
        return PAGE.format(
            pixels=self.pixels, score=self.score, embedding=self.embedding, images=self.images,
            most_pixels=MOST_PIXELS, most_score=MOST_SCORE,
        )  # fmt: skip

    def check(self) -> None:
        """Refuse differences that a person could see.

        Raises:
            Refusal: If boxes or scores differ by more than is allowed, or are no numbers.
        """
        # Written so that NaN, which is not below anything, is refused too.
        if not (self.pixels <= MOST_PIXELS and self.score <= MOST_SCORE):
            raise Refusal(
                f"the exported graph answers otherwise than the trained network: {self.sentence}, "
                f"expected at most {MOST_PIXELS} px and {MOST_SCORE:g}"
            )


def compare(
    trained: tuple[Floats, Floats, Floats], exported: tuple[Floats, Floats, Floats]
) -> Parity:
    """Return how far two answers about the same inputs differ.

    Args:
        trained: `boxes` `[n, anchors, 4]`, `scores` `[n, anchors, classes]` and `embedding`
            `[n, features]` of the trained network.
        exported: The same of the exported graph.
    """
    boxes, scores, embedding = map(_worst, trained, exported)
    largest = max(float(np.abs(trained[2]).max(initial=0.0)), 1e-12)
    return Parity(images=len(trained[0]), pixels=boxes, score=scores, embedding=embedding / largest)


def _worst(first: Floats, second: Floats) -> float:
    if first.shape != second.shape:
        return float("inf")
    return float(np.abs(first - second).max(initial=0.0))
