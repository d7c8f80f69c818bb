"""Coordinate checkpoints between workers: write after the same step, restore the same one.

Decisions are made from all-reduced votes, so that only the chief's clock counts, and only
checkpoints that every worker can read.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic

import numpy as np

from components.shared.contracts.progress import log_progress
from components.shared.contracts.stopping import Stopped
from components.training.train_detector.learning.checkpoint import (
    Arrays,
    Checkpoints,
    Variables,
    encode,
)
from components.training.train_detector.learning.state import TrainingState
from components.training.train_detector.learning.worker_group import Floats, WorkerGroup

# One worker may be killed before the newest is written, and its newest be torn besides: the
# one before that is still there everywhere.
MAX_CHECKPOINTS = 3

Take = Callable[[], Variables]


class CheckpointCoordinator:
    """Writes and restores the checkpoints of one worker together with the others.

    Args:
        checkpoints: Storage of this worker's checkpoints.
        group: All workers.
        every_s: Least time between two checkpoints in seconds, by the chief's clock; 0 is one
            after every step.
        stop: Set when this worker must stop; then all stop after the same step.
    """

    def __init__(
        self, checkpoints: Checkpoints, group: WorkerGroup, every_s: float, stop: threading.Event
    ) -> None:
        self.checkpoints, self.group, self.every_s, self.stop = checkpoints, group, every_s, stop
        self._last = monotonic()
        self._background = ThreadPoolExecutor(1, "checkpoint")
        self._writing: Future[None] | None = None

    def restore_common(self) -> tuple[TrainingState, Arrays] | None:
        """Return the newest checkpoint that every worker can read.

        What is newer is forgotten: it will be written again.
        """
        tried = None
        while number := self._offer(tried):
            mine = self.checkpoints.read(number)
            if self.group.all_agree(mine is not None):
                break
            tried = number
        else:
            mine = None
        self.checkpoints.forget_after(number)
        if number and not self.group.index:
            log_progress(f"resumed from the checkpoint of step {number}")
        return mine

    def votes(self) -> Floats:
        """Return this worker's votes for the next step."""
        if not self.every_s:
            self._finish()
        done = self._writing is None or self._writing.done()
        if done:
            self._finish()
        due = self.group.index > 0 or monotonic() - self._last >= self.every_s
        return np.array([done and due, self.stop.is_set()], np.float32)

    def after_step(self, number: int, votes: Floats, state: TrainingState, take: Take) -> None:
        """Write a checkpoint if one is due, or write it and stop if a worker must stop.

        A step waits for no write: the next checkpoint is due when each worker's last one is
        written, which also means that all of them have that one.

        Args:
            number: Steps taken.
            votes: Of all workers, added up.
            state: Where we stand.
            take: Returns the trainer's state.

        Raises:
            Stopped: If a worker was told to leave.
        """
        ready, leaving = votes
        if leaving:
            self._finish()
            self.checkpoints.write(number, encode(state, take()))
            if not self.group.index:
                log_progress(f"stopped after step {number}; the next attempt resumes there")
            raise Stopped
        if ready == self.group.workers:
            self._last = monotonic()
            self._writing = self._background.submit(self._write, number, encode(state, take()))

    def _write(self, number: int, content: memoryview) -> None:
        self.checkpoints.write(number, content)
        self.checkpoints.keep_newest(MAX_CHECKPOINTS)

    def close(self) -> None:
        """Wait until no worker writes any more."""
        self._finish()
        self._background.shutdown()
        self.group.all_agree(True)

    def _offer(self, tried: int | None) -> int:
        """Return the chief's newest checkpoint, or the newest before one that was tried."""
        numbers = [n for n in self.checkpoints.numbers() if tried is None or n < tried]
        return int(self.group.broadcast_from_chief(max(numbers, default=0)))

    def _finish(self) -> None:
        """Wait for what is being written; if that failed, so do we."""
        if self._writing:
            self._writing.result()
            self._writing = None
