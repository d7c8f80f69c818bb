"""Policy of outages: how often and how long a task waits for a service that is away."""

from components.shared.contracts.policy.field import limit
from components.shared.contracts.record import Record


class OutagePolicy(Record):
    """Time limits for waiting on an outage of database, object store, stream or API."""

    max_attempts: int = limit(
        6, "attempts", description="at the whole task, the first included", ge=1
    )
    min_wait_s: float = limit(5.0, "s", description="before the second attempt", ge=0)
    max_wait_s: float = limit(60.0, "s", description="each wait doubles up to this", ge=0)

    def wait_s(self, failed: int) -> float:
        """Return how long to wait after so many failed attempts, in seconds.

        >>> [OutagePolicy().wait_s(failed) for failed in (1, 2, 3, 4, 5)]
        [5.0, 10.0, 20.0, 40.0, 60.0]
        """
        return min(self.min_wait_s * 2.0 ** (failed - 1), self.max_wait_s)
