"""Who answers behind a front door, as the door itself says it at `GET /routes`."""

from components.contracts.record import Record


class OnTrial(Record):
    """The candidate of one dataset.

    Attributes:
        percent: Of the requests, that it answers now.
        candidate: Digest of the model that this was lent to; empty if nothing was.
    """

    percent: int
    candidate: str


class Routes(Record):
    """Where the two servers are, and which datasets have a candidate."""

    stable: str
    candidate: str
    datasets: dict[str, OnTrial]
