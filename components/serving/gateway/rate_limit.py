"""Rate limit of each API key: a token bucket that holds a minute's requests.

Each process of the gateway counts for itself.
"""

from collections.abc import Callable
from time import monotonic

from components.shared.traffic.http_errors import HttpError

MINUTE_S = 60.0


class RateLimit:
    """Token buckets by API key; a bucket is full at first, and fills within a minute.

    Args:
        clock: Returns a monotonic time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens left, and when that was

    def take(self, key_id: str, per_minute: int) -> None:
        """Take one token.

        Args:
            key_id: Public part of the API key.
            per_minute: Capacity of the bucket.

        Raises:
            HttpError: 429 with the seconds until the next token, if there is none.
        """
        now = self._clock()
        tokens, then = self._buckets.get(key_id, (float(per_minute), now))
        tokens = min(per_minute, tokens + (now - then) * per_minute / MINUTE_S)
        if tokens < 1:
            self._buckets[key_id] = tokens, now
            wait_s = int((1 - tokens) * MINUTE_S / per_minute) + 1
            raise HttpError(
                429,
                f"more than {per_minute} requests a minute with this API key",
                {"Retry-After": str(wait_s)},
            )
        self._buckets[key_id] = tokens - 1, now
