"""Deterministic traffic split: request n goes to the candidate if frac(n * phi) < share.

phi is the golden ratio, so a share is kept exactly, and no periodic client sees a pattern.
"""

from collections import Counter

GOLDEN = 0.6180339887498949  # of the golden ratio: its multiples fill the unit interval evenly


class TrafficSplit:
    """Splits the requests of each dataset between candidate and stable server.

    The n-th request is the candidate's if the fraction of n times the golden ratio lies
    below the share. So any run of requests has its share almost to the request, and cameras
    that send in turn are split alike, which taking every 20th request would not do.

    Source:
        Steinhaus' conjecture (the three-gap theorem), proved by Sós, 1958.
    """

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    def candidate(self, dataset: str, percent: int) -> bool:
        """Return whether the next request of a dataset goes to the candidate.

        Args:
            dataset: Name of the dataset; each is counted apart.
            percent: Traffic share of the candidate, 0 to 100.
        """
        if percent <= 0:
            return False
        self._asked[dataset] += 1
        return self._asked[dataset] * GOLDEN % 1 < percent / 100
