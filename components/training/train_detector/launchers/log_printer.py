"""Print the log of one container in a thread, line by line."""

import threading
import time

from components.shared.cluster.client import Cluster, ClusterError
from components.training.train_detector.launchers.outcome import WorkerPod


class LogPrinter:
    """Prints the log of one container in a thread.

    Args:
        cluster: Where it runs.
        worker: Whose container.
        container: Its name.
    """

    def __init__(self, cluster: Cluster, worker: WorkerPod, container: str) -> None:
        self.uid = worker.uid
        self._source = (cluster, worker.pod, container)
        self._thread: threading.Thread | None = None
        self._line_at = 0.0  # when the last line came, monotonic seconds; 0 before the first

    def start(self, running: bool) -> None:
        """Start to print, or continue an interrupted stream, which may repeat a line."""
        if self._thread is None or (running and not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._print, daemon=True)
            self._thread.start()

    def end(self, within_s: float) -> None:
        """Wait for the last lines, for a limited time."""
        if self._thread:
            self._thread.join(within_s)

    def _print(self) -> None:
        cluster, pod, container = self._source
        since = int(time.monotonic() - self._line_at) + 1 if self._line_at else None
        try:
            for line in cluster.log(pod, container, since):
                print(line, flush=True)
                self._line_at = time.monotonic()
        except ClusterError:  # the next look begins again where the container still runs
            return
