"""Traffic shares of candidates as the proxy answers them at `GET /routes`.

Any client may read them, so they hold no address of a server.
"""

from components.shared.contracts.record import Record


class OnTrial(Record):
    """The candidate of one dataset.

    Attributes:
        percent: Its traffic share now, 0 to 100.
        candidate: Its digest; empty if it has no share.
    """

    percent: int
    candidate: str


class RouteTable(Record):
    """The candidates by dataset."""

    datasets: dict[str, OnTrial]
