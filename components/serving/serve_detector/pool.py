"""Thread pool for inference with a bounded queue, which declines with 503 when it is full."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from components.shared.traffic.http_errors import HttpError

R = TypeVar("R")


class Pool:
    """Thread pool with a bounded queue, for one event loop.

    Args:
        workers: Number of threads.
        waiting: Maximum number of calls that wait for a thread.
    """

    def __init__(self, workers: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(workers, "inference")
        self._limit = workers + waiting
        self._busy = 0

    async def run(self, work: Callable[..., R], *arguments: object) -> R:
        """Call a function in a thread, and return its result.

        Args:
            work: The function.
            *arguments: Its arguments.

        Raises:
            HttpError: 503 at once, if the queue is full.
        """
        if self._busy >= self._limit:
            raise HttpError(
                503, f"{self._busy} requests are waiting: try again", {"Retry-After": "1"}
            )
        self._busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        future.add_done_callback(self._free)
        # If the client disconnects, the thread still runs, and must count as busy.
        return await asyncio.shield(future)

    def _free(self, _: object) -> None:
        self._busy -= 1

    def close(self) -> None:
        """Wait until all calls have ended."""
        self._threads.shutdown()
