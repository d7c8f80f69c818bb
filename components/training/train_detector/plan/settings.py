"""Define the hyperparameters and options of a training, with ranges and defaults."""

from typing import Any, Literal

from pydantic import Field, ValidationError

from components.shared.contracts.choices import ImageSize
from components.shared.contracts.errors import UserError
from components.shared.contracts.record import Record, complaint

CELL = 32  # the network's input is a multiple of this, in pixels
MAX_BOXES = 1000  # of a picture in a step, of which 12,000 would take gigabytes


class TrainingSettings(Record):
    """Hyperparameters and options of a training."""

    start: Literal["scratch", "champion"] = "scratch"
    size: Literal["pico", "nano", "small"] = "pico"
    image_size: ImageSize = Field(default=320, description="long side of the input, pixels")
    epochs: int = Field(default=0, ge=0, le=10_000, description="0 leaves it to the amount of data")
    batch_size: int = Field(default=8, ge=1, le=4096, description="images a step, over all workers")
    learning_rate: float = Field(default=0.003, gt=0, description="peak, after warm-up")
    seed: int = Field(default=0, ge=0, lt=2**31)
    workers: int = Field(default=2, ge=1, le=256)
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    gradient_precision: Literal["bfloat16", "float32"] = Field(
        default="bfloat16", description="on its way between workers"
    )
    accumulate: int = Field(default=1, ge=1, description="parts of a step")
    patience: int = Field(default=0, ge=0, description="epochs without a gain; 0: no end")
    warm_up: float = Field(default=0.05, ge=0, lt=1, description="share of all steps")
    last_rate: float = Field(default=0.02, ge=0, le=1, description="share of the peak at the end")
    weight_decay: float = Field(default=0.05, ge=0, description="times the learning rate")
    average: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="share of all steps looked back on",
    )
    mosaic: float = Field(default=0.5, ge=0, le=1, description="chance of four pictures in one")
    zoom_out: float = Field(default=0.6, gt=0, le=1, description="smallest scale of a picture")
    zoom_in: float = Field(default=1.7, ge=1, description="largest scale of a picture")
    plain: float = Field(default=0.2, ge=0, le=1, description="last epochs without mosaic")
    checkpoint_s: float = Field(
        default=60.0, ge=0, description="between checkpoints; 0: every step"
    )

    def check_workers(self) -> None:
        """Refuse a batch that cannot be divided among workers and accumulation parts.

        Raises:
            UserError: If it is so.
        """
        if self.batch_size % self.workers:
            raise UserError(
                f"batch size is {self.batch_size}, expected a multiple of {self.workers} workers"
            )
        share = self.batch_size // self.workers
        if self.accumulate > share:
            raise UserError(
                f"accumulate is {self.accumulate}, expected at most the {share} images that a "
                "worker has of a batch"
            )


def settings_of(**chosen: Any) -> TrainingSettings:
    """Return validated settings, or refuse invalid ones.

    Raises:
        UserError: Naming the first setting that is wrong.

    >>> settings_of(start="champion", workers=0)
    Traceback (most recent call last):
    components.shared.contracts.errors.UserError: workers: Input should be greater than or ...
    """
    try:
        return TrainingSettings(**chosen)
    except ValidationError as cause:
        raise UserError(complaint(cause)) from cause
