"""Shares of candidates at a front door, as the door itself says them at `GET /routes`.

Anyone may ask, so no address of a server stands here.
"""

from components.shared.contracts.record import Record


class OnTrial(Record):
    """The candidate of one dataset.

    Attributes:
        percent: Of the requests, that it answers now.
        candidate: Digest of the model that this was lent to; empty if nothing was.
    """

    percent: int
    candidate: str


class Routes(Record):
    """Which datasets have a candidate."""

    datasets: dict[str, OnTrial]
