"""Workers of one group as threads of this process."""

import threading
from concurrent.futures import ThreadPoolExecutor

from components.training.train_detector.learning.worker_group import WorkerGroup


class Threads(WorkerGroup):
    """Workers that are threads, and add up here."""

    def __init__(self, index, together):
        self.index, self.workers, self.together = index, together.parties, together

    def total(self, value):
        values = self.together.values
        values[self.index] = value
        self.together.wait()
        total = sum(values.values())
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
    barrier.values = {}
    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(do, Threads(index, barrier)) for index in range(workers)]
        return [one.result() for one in waiting]
