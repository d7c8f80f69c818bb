"""Leases of traffic shares, which expire even if the wall clock is changed.

A candidate whose deployer stopped renewing its lease gets no more requests.
"""

from collections.abc import Callable
from time import monotonic, time
from typing import NamedTuple

from components.shared.inference.package_store import TrafficLease

MAX_LEASE_S = 60.0  # no deployment asks for more: if there is, the clock was set back


class Leases:
    """The traffic share that each candidate has now.

    The time left is read from the wall clock once, when a lease is first read, and from then on
    measured by a monotonic counter: a lease that has expired stays expired.

    Args:
        clock: Returns the wall clock time, in seconds since 1970.
        counter: Returns a monotonic time, in seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time, counter: Callable[[], float] = monotonic
    ) -> None:
        self._clock = clock
        self._counter = counter
        self._leases: dict[str, _Lease] = {}

    def percent(self, dataset: str, share: TrafficLease | None) -> int:
        """Return the percent of the requests that the candidate of a dataset gets now.

        Args:
            dataset: Name of the dataset.
            share: The lease as it was read just now; None if there is none.
        """
        if share is None:
            return 0
        lease = self._leases.get(dataset)
        if lease is None or lease.share != share:
            left = share.until - self._clock()
            ends = self._counter() + left if 0 < left <= MAX_LEASE_S else 0.0
            lease = self._leases[dataset] = _Lease(share, ends)
        return share.percent if self._counter() < lease.ends else 0


class _Lease(NamedTuple):
    share: TrafficLease
    ends: float  # by the counter
