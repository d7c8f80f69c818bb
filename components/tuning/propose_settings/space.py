"""Define the search space of hyperparameters: for each setting a list of values, or a range."""

from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from components.shared.contracts.errors import UserError
from components.shared.contracts.recipe import Value
from components.shared.contracts.record import Record, complaint

# What a search may vary; what a training starts from and where it runs is not among it.
TUNABLE = (
    "accumulate", "average", "batch_size", "image_size", "last_rate", "learning_rate", "mosaic",
    "plain", "precision", "size", "warm_up", "weight_decay", "zoom_in", "zoom_out",
)  # fmt: skip
DIGITS = 3  # significant ones of a number from a range: more would not be learned from


class Range(Record):
    """All numbers between two limits."""

    low: float
    high: float
    log: bool = Field(default=False, description="whether ratios matter, not differences")

    @model_validator(mode="after")
    def _in_order(self) -> "Range":
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError("expected low < high, and above 0 if log")
        return self

    def at(self, share: float) -> float:
        """Return the number at a fraction of the range, from 0 to 1.

        >>> Range(low=0.001, high=0.1, log=True).at(0.5)
        0.01
        """
        ratio = self.high / self.low if self.log else 1.0
        number = self.low * ratio**share if self.log else self.low + share * (self.high - self.low)
        return float(f"{number:.{DIGITS}g}")


class Choice(Record):
    """One of several values."""

    values: tuple[Value, ...] = Field(min_length=1)

    def at(self, share: float) -> Value:
        """Return the value at a fraction of the list, from 0 to below 1."""
        return self.values[int(share * len(self.values))]


Space = dict[str, Range | Choice]

USUAL: Space = {
    "learning_rate": Range(low=0.001, high=0.01, log=True),
    "weight_decay": Range(low=0.005, high=0.2, log=True),
    "batch_size": Choice(values=(8, 16, 32)),
    "mosaic": Range(low=0.0, high=1.0),
    "zoom_in": Range(low=1.1, high=2.2),
    "zoom_out": Range(low=0.3, high=0.9),
}


def read_space(text: str) -> Space:
    """Return the search space from YAML; empty YAML gives the default one.

    Raises:
        UserError: If it is no YAML, or names what cannot be searched.

    >>> read_space("size: [pico, nano]")["size"].at(0.5)
    'nano'
    >>> read_space("mosiac: [0, 1]")
    Traceback (most recent call last):
    components.shared.contracts.errors.UserError: space: mosiac is nothing to search, ...
    """
    try:
        read: Any = yaml.safe_load(text)
    except yaml.YAMLError as cause:
        raise UserError(f"space is no YAML: {' '.join(str(cause).split())}") from cause
    if read is None:
        return USUAL
    if not isinstance(read, dict) or not read:
        raise UserError(f"space is {read!r}, expected settings, each with a list or low and high")
    return {str(name): _dimension(str(name), values) for name, values in sorted(read.items())}


def _dimension(name: str, values: Any) -> Range | Choice:
    if name not in TUNABLE:
        raise UserError(
            f"space: {name} is nothing to search, expected some of {', '.join(TUNABLE)}"
        )
    try:
        return Choice(values=values) if isinstance(values, list) else Range.model_validate(values)
    except ValidationError as cause:
        raise UserError(
            f"space: {name}: {complaint(cause)}; expected a list, or {{low: , high: , log: }}"
        ) from cause
