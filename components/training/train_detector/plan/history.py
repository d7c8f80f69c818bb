"""Record the metrics of each epoch, and convert them to scalars for plots."""

from collections.abc import Iterable

from pydantic import Field

from components.shared.contracts.record import Record


class Epoch(Record):
    """One line of `history.jsonl`."""

    epoch: int
    loss: float
    class_loss: float
    box_loss: float
    distance_loss: float
    learning_rate: float
    map50: float | None = Field(description="on the validation split; None if it has no box")
    step: int = Field(default=0, description="steps taken when it ended")


NAMES = {
    "epoch": "epoch",
    "loss": "train/loss",
    "class_loss": "train/loss_class",
    "box_loss": "train/loss_box",
    "distance_loss": "train/loss_distances",
    "learning_rate": "train/learning_rate",
    "map50": "validation/map50",
}


def scalars(epochs: Iterable[Epoch]) -> dict[int, dict[str, float]]:
    """Return the plotted values of a history, by name and step.

    Args:
        epochs: In order; one that does not say its step stands at its own number.
    """
    return {
        one.step or one.epoch: {
            NAMES[name]: float(value)
            for name, value in one.model_dump(exclude={"step"}, exclude_none=True).items()
        }
        for one in epochs
    }
