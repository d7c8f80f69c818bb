"""Follow a job on the cluster to its end: print the chief's log and the changes of its state.

State is read from the cluster alone, so another process can follow the same job later.
"""

import time
from collections.abc import Sequence
from typing import Protocol

from components.shared.cluster.client import Cluster, ClusterError, Kind
from components.shared.cluster.objects import Pod
from components.shared.contracts.progress import log_progress
from components.training.train_detector.launchers.log_printer import LogPrinter
from components.training.train_detector.launchers.outcome import (
    SENTENCES,
    DisruptedError,
    State,
    TrainingError,
    WorkerPod,
    condition_message,
    disrupted,
    failure,
)
from components.training.train_detector.launchers.pods import Body, Job

LOOK_EVERY_S = 2.0
PATIENCE_S = 300.0  # with an API server that does not answer
GRACE_S = 60.0  # for the controller to end a job that is over its time by itself
LAST_LINES_S = 10.0  # for the chief's last lines to come through
STARTING = (State.UNSEEN, State.CREATED, State.RESTARTING)
TAIL = 20  # lines that are worth showing of a worker that failed


class JobKind(Protocol):
    """Interface of a kind of job; implemented by the modules `tfjob` and `trainjob`."""

    KIND: Kind
    CONTAINER: str
    NEEDS: str

    def selector(self, name: str) -> str:
        """Return the label selector of a job's pods."""

    def index_of(self, pod: Pod) -> int:
        """Return a pod's number among the workers."""

    def state_of(self, job: Body, workers: Sequence[WorkerPod]) -> State:
        """Return the state of a job.

        Args:
            job: The custom resource.
            workers: State of its pods.
        """

    def body(self, job: Job) -> Body:
        """Return the custom resource."""


class OverdueError(TrainingError):
    """A job exceeded its deadline or its number of restarts."""


class JobFollower:
    """Follows one job, and the jobs that replace it.

    Args:
        cluster: Where it runs.
        kind: Kind of the job.
        job: Parameters of the job.
        uid: Tells it from another one of the same name.
        look_every_s: Pause between two looks.
    """

    def __init__(
        self, cluster: Cluster, kind: JobKind, job: Job, uid: str, look_every_s: float
    ) -> None:
        self.cluster, self.kind, self.job, self.uid = cluster, kind, job, uid
        self.look_every_s = look_every_s
        self.state: State | None = None
        self.reported: dict[int, str] = {}
        self.lives: dict[int, set[str]] = {}
        self.active = 0.0  # seconds, those in a queue left out
        self.waited = 0.0  # seconds of them since all workers ran last
        self.ran = False  # whether all workers have run since the job was begun or resumed
        self.log_printer: LogPrinter | None = None
        self.disruptions = 0

    def follow(self) -> None:
        """Return when the job has succeeded.

        Raises:
            UserError: If a worker refused what the user gave.
            TrainingError: If the job failed, is gone, or took too long (`OverdueError`).
            DisruptedError: If it may be made anew under the same name; then `uid` is to be set.
            ClusterError: If the API server has been silent for minutes; the job goes on.
        """
        silent = 0.0
        while True:
            before = time.monotonic()
            try:
                workers = self._poll()
                silent = 0.0
            except ClusterError as error:
                if silent > PATIENCE_S:
                    raise
                if not silent:
                    log_progress(f"{self.job.name}: {error}; trying again")
                workers = None
            if self.state == State.SUCCEEDED:
                return self._end_log()
            if workers is not None:
                self._check_limits(workers)
            time.sleep(self.look_every_s)
            passed = time.monotonic() - before
            silent += passed if workers is None else 0
            self._count(passed)

    def _poll(self) -> list[WorkerPod]:
        job = self.cluster.get(self.kind.KIND, self.job.name)
        if job is None or job["metadata"]["uid"] != self.uid:
            raise TrainingError(f"training {self.job.name} was removed while it ran")
        workers = workers_of(self.cluster, self.kind, self.job.name)
        state = self.kind.state_of(job, workers)
        if state == State.CREATED and self.ran:
            state = State.RESTARTING
        if state in (State.RUNNING, State.SUSPENDED):
            self.ran = state == State.RUNNING
        if state != self.state:
            log_progress(f"{self.job.name}: {SENTENCES[state]}")
        self.state = state
        for one in workers:
            self._report(one)
        if state == State.FAILED:
            self._end_log()
            raise self._failure(job, workers)
        return workers

    def _failure(self, job: Body, workers: Sequence[WorkerPod]) -> Exception:
        cause = failure(self.job.name, job, [self._quoted(one) for one in workers])
        if not self.lives or not disrupted(job, workers):
            return cause
        self.disruptions += 1
        starts = max(self.disruptions, *map(len, self.lives.values()))
        most = self.job.settings.restarts + 1
        if starts >= most:
            return TrainingError(f"{cause}; it was started {starts} times, expected at most {most}")
        return DisruptedError(
            f"a pod was deleted, evicted or drained: {condition_message(job, 'Failed')} "
            f"No worker failed permanently: start {starts + 1} of at most {most} follows"
        )

    def _report(self, worker: WorkerPod) -> None:
        """Pass on the chief's words, and say of each worker why it waits or how it ended."""
        lives = self.lives.setdefault(worker.index, set())
        if lives and worker.uid not in lives:
            log_progress(f"{self.job.name}: worker {worker.index} is restarted (pod {worker.pod})")
        lives.add(worker.uid)
        if worker.index == 0 and worker.started:
            if self.log_printer is None or self.log_printer.uid != worker.uid:
                self.log_printer = LogPrinter(self.cluster, worker, self.kind.CONTAINER)
            self.log_printer.start(worker.running)
        if worker.exit_code:
            news = f"ended with {worker.exit_code}"
        else:
            news = "" if worker.started or not worker.words else f"waits: {worker.words}"
        if news and news != self.reported.get(worker.index):
            log_progress(f"{self.job.name}: worker {worker.index} (pod {worker.pod}) {news}")
        self.reported[worker.index] = news

    def _quoted(self, worker: WorkerPod) -> WorkerPod:
        if not worker.exit_code or worker.words or not worker.started:
            return worker
        words = self.cluster.tail_log(worker.pod, self.kind.CONTAINER, TAIL)
        return worker.saying(words)

    def _count(self, seconds: float) -> None:
        self.active += 0 if self.state == State.SUSPENDED else seconds
        self.waited = self.waited + seconds if self.state in STARTING else 0.0

    def _check_limits(self, workers: Sequence[WorkerPod]) -> None:
        settings, name = self.job.settings, self.job.name
        if self.active > settings.time_limit_s + min(GRACE_S, settings.time_limit_s):
            raise OverdueError(f"training {name} exceeded its limit of {settings.time_limit_s} s")
        if self.state in STARTING and self.waited > settings.start_limit_s:
            again = " again" if self.state == State.RESTARTING else ""
            raise OverdueError(f"training {name} did not start{again}: {self._obstacle(workers)}")
        for index, uids in self.lives.items():
            if len(uids) > settings.restarts + 1:
                raise OverdueError(
                    f"training {name}: worker {index} was started {len(uids)} times, "
                    f"expected at most {settings.restarts + 1}"
                )

    def _obstacle(self, workers: Sequence[WorkerPod]) -> str:
        if self.state == State.UNSEEN:
            return f"no controller reconciled it; expected {self.kind.NEEDS} in the cluster"
        waiting = [
            f"worker {one.index} waits: {one.words}"
            for one in workers
            if one.words and one.exit_code is None
        ]
        return "; ".join(waiting) or f"{len(workers)} of {self.job.workers} pods exist"

    def _end_log(self) -> None:
        if self.log_printer:
            self.log_printer.end(LAST_LINES_S)


def workers_of(cluster: Cluster, kind: JobKind, name: str) -> list[WorkerPod]:
    """Return a job's pods in the order of their numbers, the newest of each number.

    Args:
        cluster: Client of the cluster.
        kind: Kind of the job.
        name: Its name.
    """
    pods = sorted(
        cluster.pods(kind.selector(name)), key=lambda pod: pod.metadata.creation_timestamp
    )
    newest = {kind.index_of(pod): pod for pod in pods}
    return [WorkerPod.of(pod, index, kind.CONTAINER) for index, pod in sorted(newest.items())]
