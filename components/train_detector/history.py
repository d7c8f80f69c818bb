"""How a training went, epoch by epoch: written by the chief, drawn for people."""

from components.contracts.record import Record


class Epoch(Record):
    """One line of `history.jsonl`; only the chief measures `map50`."""

    epoch: int
    loss: float
    class_loss: float
    box_loss: float
    distance_loss: float
    learning_rate: float
    map50: float | None
