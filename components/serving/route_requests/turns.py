"""Deterministic traffic split: request n goes to the candidate if frac(n * phi) < share.

phi is the golden ratio, so a share is kept exactly, and no periodic client sees a pattern.
"""

from collections import Counter

GOLDEN = 0.6180339887498949  # of the golden ratio: its multiples fill the unit interval evenly


class Turns:
    """Gives a candidate its share of the requests, dataset by dataset.

    The n-th request is the candidate's if the fraction of n times the golden ratio lies
    below the share. So any stretch of requests has its share almost to the request, and
    cameras that send in turn are met alike, as they would not be if every 20th were taken.

    Source:
        Steinhaus' conjecture (the three-gap theorem), proved by Sós, 1958.
    """

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    def candidate(self, dataset: str, percent: int) -> bool:
        """Say whether the next request of a dataset is the candidate's."""
        if percent <= 0:
            return False
        self._asked[dataset] += 1
        return self._asked[dataset] * GOLDEN % 1 < percent / 100
