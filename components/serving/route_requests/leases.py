"""Leases of traffic shares, which expire even if the wall clock is changed.

A candidate whose deployer stopped renewing its lease gets no more requests.
"""

from collections.abc import Callable
from time import monotonic, time
from typing import NamedTuple

from components.shared.inference.shelf import Share

MAX_LEASE_S = 60.0  # no deployment lends for longer: then the clock was set back


class Leases:
    """The share that each candidate has now.

    How long a share lasts is read from the clock once, when it is seen first, and measured by a
    counter that never steps back from then on: what is over stays over.

    Args:
        clock: Seconds since 1970.
        counter: Seconds that only grow.
    """

    def __init__(
        self, clock: Callable[[], float] = time, counter: Callable[[], float] = monotonic
    ) -> None:
        self._clock = clock
        self._counter = counter
        self._leases: dict[str, _Lease] = {}

    def percent(self, dataset: str, share: Share | None) -> int:
        """Return the percent of the requests that the candidate of a dataset gets now.

        Args:
            dataset: The dataset.
            share: What is lent, as it was read just now; None if nothing is.
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
    share: Share
    ends: float  # by the counter
