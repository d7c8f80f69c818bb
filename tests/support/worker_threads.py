"""Workers of one group as threads of this process."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from components.training.train_detector.learning.worker_group import WorkerGroup


class Threads(WorkerGroup):
    """Workers that are threads, and add up here."""

    def __init__(self, index, together, values):
        self.index, self.workers = index, together.parties
        self.together, self.values = together, values

    def total(self, value):
        self.values[self.index] = value
        self.together.wait()
        total = sum(self.values.values())
        self.together.wait()
        return total


class Told(threading.Event):
    """Is set after so many questions."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def is_set(self):
        self.left -= 1
        return self.left < 0


def together(workers, do):
    """Return what `do` returns in each of some workers."""
    barrier = threading.Barrier(workers, timeout=10)
    values: dict[int, Any] = {}
    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(do, Threads(index, barrier, values)) for index in range(workers)]
        return [one.result() for one in waiting]
