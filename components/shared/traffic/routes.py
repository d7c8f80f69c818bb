"""Traffic shares of candidates as the proxy answers them at `GET /routes`.

Any client may read them, so they hold no address of a server.
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
