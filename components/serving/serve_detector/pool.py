"""Thread pool for inference with a bounded queue, which declines with 503 when it is full."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from components.shared.traffic.declined import Declined

R = TypeVar("R")


class Pool:
    """Threads with a bounded queue; to be used from one event loop.

    Args:
        workers: Inferences at once.
        waiting: Inferences that may wait for a thread.
    """

    def __init__(self, workers: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(workers, "inference")
        self._limit = workers + waiting
        self._busy = 0

    async def run(self, work: Callable[..., R], *arguments: Any) -> R:
        """Return what a function returns, called in a thread.

        Raises:
            Declined: 503 at once, if as many wait as may.
        """
        if self._busy >= self._limit:
            raise Declined(
                503, f"{self._busy} requests are before this one: try again", {"Retry-After": "1"}
            )
        self._busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        future.add_done_callback(self._free)
        # A client that hangs up does not free the thread that works for it.
        return await asyncio.shield(future)

    def _free(self, _: object) -> None:
        self._busy -= 1

    def close(self) -> None:
        """Wait for what runs."""
        self._threads.shutdown()
