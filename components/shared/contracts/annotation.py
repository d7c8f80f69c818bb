"""Define annotated boxes, in pixels of the stored image.

The origin is the top left corner; right and bottom edges are exclusive.
"""

from collections.abc import Sequence

from pydantic import Field, model_validator

from components.shared.contracts.errors import UserError
from components.shared.contracts.record import Record
from components.shared.contracts.values import ShortText


class AnnotationError(UserError):
    """Boxes do not fit their image."""


class Box(Record):
    """One object: `x_min < x_max` and `y_min < y_max` in pixels, and its class by name."""

    x_min: float = Field(description="left edge, pixels, inclusive")
    y_min: float = Field(description="top edge, pixels, inclusive")
    x_max: float = Field(description="right edge, pixels, exclusive")
    y_max: float = Field(description="bottom edge, pixels, exclusive")
    label: ShortText = Field(description="name of the class")

    @model_validator(mode="after")
    def _has_area(self) -> "Box":
        if self.x_min < self.x_max and self.y_min < self.y_max:
            return self
        for axis, low, high in (
            ("x", self.x_min, self.x_max),
            ("y", self.y_min, self.y_max),
        ):
            if not low < high:
                raise ValueError(
                    f"{axis} runs {low:g} to {high:g}, expected left to right, top to bottom"
                )
        return self

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.x_max - self.x_min

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.y_max - self.y_min

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height


class ScoredBox(Box):
    """A detected box with its score, from 0 to 1."""

    score: float = Field(description="confidence, 0 to 1")


def check_inside(boxes: Sequence[Box], width: int, height: int, name: str) -> None:
    """Refuse boxes that reach outside their image.

    Args:
        boxes: The boxes of one image.
        width: Width of the image in pixels.
        height: Height of the image in pixels.
        name: Name of the image in the error.

    Raises:
        AnnotationError: At the first box that runs outside `width` x `height`.

    >>> check_inside([Box(x_min=1, y_min=1, x_max=70, y_max=9, label="car")], 64, 48, "a1")
    Traceback (most recent call last):
    components.shared.contracts.annotation.AnnotationError: a1, box 0: x runs 1 to 70, outside...
    """
    for position, box in enumerate(boxes):
        if box.x_min >= 0 and box.y_min >= 0 and box.x_max <= width and box.y_max <= height:
            continue
        for axis, low, high, end in (
            ("x", box.x_min, box.x_max, width),
            ("y", box.y_min, box.y_max, height),
        ):
            if low < 0 or high > end:
                raise AnnotationError(
                    f"{name}, box {position}: {axis} runs {low:g} to {high:g}, outside 0 to {end}"
                )
