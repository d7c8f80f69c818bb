"""Every way that a job can go, played by the stand-in operator with real pods."""

import io
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field
from types import ModuleType

from kubernetes import client

from components.shared.cluster.client import Cluster
from components.shared.contracts.quantity import amount
from components.training.train_detector.launchers import tfjob
from components.training.train_detector.launchers.on_cluster import launch
from components.training.train_detector.launchers.pods import Job
from components.training.train_detector.launchers.worker_settings import WorkerSettings
from tests.proofs.merge import merge
from tests.standins.training_operator import Script, TrainingOperator

SMALL = {"cpu": "50m", "memory": "64Mi"}
NOWHERE = {"node_selector": {"no-node": "has-this"}}
PATIENT = 600  # seconds; a limit that is not to be reached


@dataclass(frozen=True)
class Sequence:
    """What workers do, what the launcher must say of states in turn, pass on, and raise."""

    script: Script = lambda index, life: "sleep 1"
    says: tuple[str, ...] = ()
    hears: str = ""
    raises: str = ""
    settings: dict = field(default_factory=dict)
    suspended: bool = False
    drained: bool = False
    most_of_a_node: bool = False  # each worker wants as much, so that only one has room
    operated: bool = True


def _refuses(index: int, life: int) -> str:
    return "sleep 1; echo that will not do >&2; exit 2" if index else "sleep 60"


def _fails(index: int, life: int) -> str:
    return "sleep 1; echo the disk is full >&2; exit 3" if index else "sleep 60"


def _restarts(index: int, life: int) -> str:
    if life:
        return "echo begun again; sleep 2"
    return "sleep 2; exit 138" if index == 0 else "sleep 1; exit 137"


def _speaks(index: int, life: int) -> str:
    return f"echo worker {index} is at work; sleep 2"


def _lasts(index: int, life: int) -> str:
    return f"echo worker {index} is at work; sleep 60"


def _drained(index: int, life: int) -> str:
    return "trap 'exit 143' TERM; sleep 20 & wait $!"


SEQUENCES = {
    "created": Sequence(
        settings={**NOWHERE, "start_limit_s": 3}, says=("created",),
        raises="OverdueError: did not start: worker 0 waits: 0/",
    ),
    "started by half": Sequence(
        _lasts, settings={"start_limit_s": 15}, most_of_a_node=True, says=("created",),
        hears="worker 0 is at work", raises="OverdueError: did not start: worker 1 waits: 0/",
    ),
    "running": Sequence(_speaks, says=("running", "succeeded"), hears="worker 0 is at work"),
    "restarting": Sequence(_restarts, says=("restarting", "succeeded"), hears="begun again"),
    "suspended": Sequence(
        lambda index, life: "sleep 3", says=("running", "suspended", "succeeded"), suspended=True
    ),
    "drained": Sequence(
        _drained, says=("running", "restarting", "succeeded"), hears="worker 1 is restarted",
        drained=True,
    ),
    "failed": Sequence(
        _fails, says=("failed",), raises="TrainingError: ended with 3:\nthe disk is full"
    ),
    "refused": Sequence(_refuses, says=("failed",), raises="UserError: that will not do"),
    "succeeded": Sequence(says=("succeeded",)),
    "gone on for ever": Sequence(
        lambda index, life: "exit 137", settings={"restarts": 1}, says=("restarting",),
        raises="OverdueError: was started 3 times, expected at most 2",
    ),
    "over its time": Sequence(
        lambda index, life: "sleep 60", settings={"time_limit_s": 20}, says=("running", "failed"),
        raises="TrainingError: deadline",
    ),
    "over its time, no controller": Sequence(
        operated=False, settings={"time_limit_s": 2}, says=("no controller reconciled it",),
        raises="OverdueError: exceeded its limit of 2 s",
    ),
}  # fmt: skip


def play_all(
    api: client.ApiClient, cluster: Cluster, image: str, kinds: Iterable[ModuleType]
) -> bool:
    """Play each sequence for each kind, print what came of it, and say whether all was right."""
    good = [
        _play(api, cluster, image, kind, name, sequence, number)
        for number, (name, sequence) in enumerate(SEQUENCES.items())
        for kind in kinds
    ]
    return all(good)


def _play(api, cluster, image, kind, name, sequence, number) -> bool:
    limits = {"start_limit_s": PATIENT, "time_limit_s": PATIENT}
    room = {"cpu": _most_of_a_node(api, cluster)} if sequence.most_of_a_node else {}
    settings = WorkerSettings.model_validate({**SMALL, **limits, **room, **sequence.settings})
    job = Job(
        name=f"sequence-{number}", namespace=cluster.namespace, fingerprint="0" * 64,
        workers=2, image=image, settings=settings,
    )  # fmt: skip
    words, raised = io.StringIO(), ""
    with ExitStack() as stack:
        if sequence.operated:
            plurals = (kind.KIND.plural,)
            stack.enter_context(
                TrainingOperator(api, cluster.namespace, sequence.script, kinds=plurals)
            )
        stack.enter_context(redirect_stdout(words))
        if sequence.suspended:
            threading.Thread(
                target=_suspend, args=(cluster, kind, job.name, words.getvalue)
            ).start()
        if sequence.drained:
            threading.Thread(
                target=_drain, args=(api, cluster, kind, job.name, words.getvalue), daemon=True
            ).start()
        try:
            launch(cluster, kind, job, 0.3)
        except Exception as error:
            raised = f"{type(error).__name__}: {error}"
    cluster.delete(kind.KIND, job.name, last=True)
    good = _fits(sequence, words.getvalue(), raised)
    outcome = raised.replace("\n", " ") or "done"
    print(f"{'ok ' if good else 'NOT'} {kind.KIND.plural:9} {name:28} {outcome[:160]}", flush=True)
    if not good:
        print(words.getvalue(), flush=True)
    return good


def _most_of_a_node(api: client.ApiClient, cluster: Cluster) -> str:
    """Return so many cores that two workers do not fit, once those before have left."""
    end = time.monotonic() + PATIENT
    while cluster.pods("app.kubernetes.io/part-of=car-detection") and time.monotonic() < end:
        time.sleep(0.5)
    (node,) = client.CoreV1Api(api).list_node().items
    return f"{float(amount(node.status.allocatable['cpu'])) * 0.51:.2f}"


def _fits(sequence: Sequence, words: str, raised: str) -> bool:
    places = [words.find(one) for one in sequence.says]
    what, _, message = sequence.raises.partition(": ")
    told = raised.startswith(what) and message in raised if sequence.raises else not raised
    return told and sequence.hears in words and -1 not in places and places == sorted(places)


def _suspend(cluster: Cluster, kind, name: str, words: Callable[[], str]) -> None:
    """Suspend a job once it runs, and resume it when its follower has said so."""
    for value, after in ((True, "running"), (False, "suspended")):
        while f"{name}: {after}" not in words():
            time.sleep(0.2)
        change = {"suspend": value}
        spec = {"runPolicy": change} if kind is tfjob else change
        merge(cluster, kind.KIND, name, {"spec": spec})


def _drain(api, cluster: Cluster, kind, name: str, words: Callable[[], str]) -> None:
    """Delete worker 1 as a drain does, once all workers run."""
    while f"{name}: running" not in words():
        time.sleep(0.2)
    for pod in cluster.pods(kind.selector(name)):
        if kind.index_of(pod) == 1:
            client.CoreV1Api(api).delete_namespaced_pod(pod.metadata.name, cluster.namespace)
