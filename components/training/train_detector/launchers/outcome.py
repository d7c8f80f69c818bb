"""Derive the state of a job from its conditions and pods, and the error of a failed one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from components.shared.cluster.objects import ContainerStatus, Pod
from components.shared.contracts.errors import RETRIED_FROM, ExitCode, JobError, UserError

ATTEMPT = "jobset.sigs.k8s.io/restart-attempt"  # label of a pod that was begun again with all
NEVER = datetime.max.replace(tzinfo=UTC)
SHOWN = 2000  # characters of last words


class TrainingError(JobError):
    """The workers ended before the training was complete."""


class DisruptedError(TrainingError):
    """A job failed because a pod was deleted, evicted or drained; it may be created again."""


class State(StrEnum):
    """State of a job."""

    UNSEEN = "unseen"
    CREATED = "created"
    RUNNING = "running"
    RESTARTING = "restarting"
    SUSPENDED = "suspended"
    FAILED = "failed"
    SUCCEEDED = "succeeded"


SENTENCES: Mapping[State, str] = {
    State.UNSEEN: "submitted; no controller has reconciled it yet",
    State.CREATED: "created; its workers are starting",
    State.RUNNING: "running",
    State.RESTARTING: "restarting after a lost worker; all resume from the last checkpoint",
    State.SUSPENDED: "suspended until a queue or a person resumes it",
    State.FAILED: "failed",
    State.SUCCEEDED: "succeeded",
}


@dataclass(frozen=True, slots=True)
class WorkerPod:
    """State of one worker's pod.

    Attributes:
        index: The worker's number; 0 is the chief.
        pod: The pod's name.
        uid: Tells a pod from an earlier one of the same name.
        started: Whether its container runs or ran, so that there is a log.
        running: Whether its container runs.
        attempt: How often all workers were begun again before, where pods say so.
        exit_code: None until it ended.
        ended: When it did.
        words: What it said last, or why it was ended or does not start.
    """

    index: int
    pod: str
    uid: str
    started: bool = False
    running: bool = False
    attempt: int = 0
    exit_code: int | None = None
    ended: datetime | None = None
    words: str = ""

    @classmethod
    def of(cls, pod: Pod, index: int, container: str) -> Self:
        """Read a `V1Pod`.

        Args:
            pod: A `V1Pod`.
            index: Number of the worker.
            container: Name of the worker's container.
        """
        labels = pod.metadata.labels or {}
        who = {
            "index": index,
            "pod": pod.metadata.name,
            "uid": pod.metadata.uid,
            "attempt": int(labels.get(ATTEMPT, 0)),
        }
        status = next(
            (one for one in pod.status.container_statuses or () if one.name == container), None
        )
        if status and (end := status.state.terminated):
            words = end.message or (f"it was {end.reason}" if end.reason != "Error" else "")
            return cls(
                **who, started=True, exit_code=end.exit_code, ended=end.finished_at, words=words
            )
        if pod.status.phase == "Failed":  # evicted, or its node is gone: no container has a state
            words = pod.status.message or pod.status.reason or ""
            return cls(**who, exit_code=RETRIED_FROM, words=words)
        if status and status.state.running:
            return cls(**who, started=True, running=True)
        return cls(**who, words=_why_waiting(pod, status))

    def saying(self, words: str) -> Self:
        """Return a copy with other last words."""
        return replace(self, words=words)


def _why_waiting(pod: Pod, status: ContainerStatus | None) -> str:
    if status and (waiting := status.state.waiting) and waiting.reason != "ContainerCreating":
        return ": ".join(filter(None, (waiting.reason, waiting.message)))
    placed = [one for one in pod.status.conditions or () if one.type == "PodScheduled"]
    return next((one.message for one in placed if one.status == "False" and one.message), "")


def is_true(job: Mapping[str, Any], condition: str) -> bool:
    """Return whether a job's status has a condition with status True.

    Args:
        job: The custom resource.
        condition: Type of the condition.
    """
    found = job.get("status", {}).get("conditions", ())
    return any(one["type"] == condition and one["status"] == "True" for one in found)


def disrupted(job: Mapping[str, Any], workers: Sequence[WorkerPod]) -> bool:
    """Return whether a failed job lost a pod to a deletion, an eviction or a drain.

    The training operator counts a running pod that is being deleted as failed, and fails the
    whole job. Then no worker has ended with a final exit code, and no deadline has passed.

    Args:
        job: The custom resource.
        workers: State of the job's pods.
    """
    final = any(0 < (one.exit_code or 0) < RETRIED_FROM for one in workers)
    failed = [one for one in job.get("status", {}).get("conditions", ()) if one["type"] == "Failed"]
    reasons = " ".join(f"{one.get('reason')} {one.get('message')}" for one in failed)
    return not final and "deadline" not in reasons.lower()


def failure(name: str, job: Mapping[str, Any], workers: Sequence[WorkerPod]) -> Exception:
    """Return the error of a failed job: a refusal if a worker refused, or the exits of workers.

    The others fail after the first one, so the first final exit is the cause; an exit that
    would have been retried is named only if there is no other.

    Args:
        name: Name of the job.
        job: The custom resource.
        workers: State of the job's pods.
    """
    ended = sorted(
        (one for one in workers if one.exit_code),
        key=lambda one: ((one.exit_code or 0) >= RETRIED_FROM, one.ended or NEVER),
    )
    if not ended:
        return TrainingError(f"training {name} failed: {condition_message(job, 'Failed')}")
    first = ended[0]
    if first.exit_code == ExitCode.REFUSED and first.words:
        return UserError(first.words.strip().splitlines()[-1])
    words = first.words.strip()[-SHOWN:] or condition_message(job, "Failed")
    return TrainingError(
        f"training {name} failed: worker {first.index} (pod {first.pod}) "
        f"ended with {first.exit_code}:\n{words}"
    )


def condition_message(job: Mapping[str, Any], condition: str) -> str:
    """Return the message of a condition of a job.

    Args:
        job: The custom resource.
        condition: Type of the condition.
    """
    for one in job.get("status", {}).get("conditions", ()):
        if one["type"] == condition:
            return str(one.get("message") or one.get("reason") or condition)
    return "its controller gives no reason"
