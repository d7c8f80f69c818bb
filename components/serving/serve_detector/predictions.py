"""Log predictions to Kafka from a background thread.

The queue in memory is bounded; predictions that do not fit or cannot be sent are counted as
lost. No answer waits for Kafka.
"""

import logging
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread

from components.serving.serve_detector.metrics import LOGGED, LOST
from components.shared.contracts.events import PredictionMade
from components.shared.store.stream import (
    Producer,
    StreamError,
    StreamSettingsError,
    producer,
    publish,
)

MAX_WAITING_BYTES = 64_000_000  # of predictions in memory, those that are being sent included
PREDICTION_BYTES, BOX_BYTES = 3_000, 1_300  # in memory, about
BATCH = 500
RETRY_SECONDS = 1.0
FLUSH_SECONDS = 30.0

logger = logging.getLogger(__name__)


class PredictionLog:
    """Kafka producer of predictions, in a background thread that starts with the object.

    Args:
        bootstrap_servers: Addresses of Kafka, as `host:port,host:port`; it may start later.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._waiting: SimpleQueue[PredictionMade] = SimpleQueue()
        self._bytes, self._lock = 0, Lock()
        self._closing = Event()
        self._connected = False
        self._thread = Thread(target=self._run, name="predictions", daemon=True)
        self._thread.start()

    def add(self, prediction: PredictionMade) -> None:
        """Queue a prediction without waiting; if the queue is full, it is counted as lost."""
        size = size_of(prediction)
        with self._lock:
            fits = self._bytes + size <= MAX_WAITING_BYTES
            self._bytes += size if fits else 0
        if fits:
            self._waiting.put(prediction)
        else:
            LOST.inc()

    def close(self, timeout: float = 10.0) -> None:
        """Send the queue, for at most `timeout` seconds; the rest is counted as lost."""
        self._closing.set()
        self._thread.join(timeout if self._connected else 0)
        if lost := self._waiting.qsize():
            LOST.inc(lost)
            logger.warning("%d predictions never reached the stream", lost)

    def _run(self) -> None:
        stream = self._connect()
        if stream is None:
            return
        self._connected = True
        for batch in self._batches():
            _send(stream, batch)
            with self._lock:
                self._bytes -= sum(map(size_of, batch))

    def _connect(self) -> Producer | None:
        """Return a connection, with retries without end; None if the log is closed before."""
        while not self._closing.is_set():
            try:
                return producer(self._servers)
            except (StreamError, StreamSettingsError):
                self._closing.wait(RETRY_SECONDS)
        return None

    def _batches(self) -> Iterator[list[PredictionMade]]:
        """Yield batches of the queue, until the log is closed and the queue is empty."""
        while True:
            try:
                batch = [self._waiting.get(timeout=0.05)]
            except Empty:
                if self._closing.is_set():
                    return
                continue
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            yield batch


def size_of(prediction: PredictionMade) -> int:
    """Return the approximate size of a prediction in memory, in bytes."""
    return PREDICTION_BYTES + BOX_BYTES * len(prediction.boxes)


def _send(stream: Producer, batch: list[PredictionMade]) -> None:
    """Send a batch and wait for acknowledgement; if one fails, all count as lost."""
    try:
        for prediction in batch:
            source = f"/servers/{prediction.dataset}"
            publish(stream, prediction, source, prediction.predicted_at)
        stream.flush(FLUSH_SECONDS)
    except StreamError:
        LOST.inc(len(batch))
    else:
        LOGGED.inc(len(batch))
