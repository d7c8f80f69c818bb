"""Canary failure drill: kill the candidate's server during a rollout, and expect a rollback.

No request of a client may fail meanwhile. The candidate is a copy of the champion with another
seed in its lineage: another model by its digest, with the same answers.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from components.promotion.deploy_model.pictures import served_lately
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import PackageInfo, PackageLayout, RegisteredLayout
from components.shared.contracts.policy import RolloutPolicy
from components.shared.inference.signature import sign
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.registry import Registry, Version
from pipelines.local.clients import Clients
from pipelines.local.local_stack import LocalStack
from pipelines.local.processes import Child
from pipelines.local.run import LocalRun, run_job

KILL_AT = 25  # percent of the requests
PROBES = RolloutPolicy(max_probes=40)  # of the load of clients
GUARD = "requests failed"  # the rollback rule that must apply
REASON = "copy of the champion for the canary failure drill"


class Killer:
    """Kill a server once its candidate has a share of the traffic, and time how long it keeps one.

    Args:
        server: The candidates' server.

    Attributes:
        seconds: Seconds from the kill until the candidate had no traffic; None before.
    """

    def __init__(self, server: Child) -> None:
        self._server = server
        self._killed: float | None = None
        self.seconds: float | None = None

    def __call__(self, percent: int) -> None:
        """Kill the server at `KILL_AT` percent, or note when the share is zero after the kill.

        Args:
            percent: The candidate's share of the traffic, 0 to 100.
        """
        if self._killed is None and percent >= KILL_AT:
            os.kill(self._server.process.pid, signal.SIGKILL)
            self._killed = time.monotonic()
        elif self._killed and self.seconds is None and percent == 0:
            self.seconds = time.monotonic() - self._killed


def drill(stack: LocalStack, dataset: str, heard: Callable[[str, str], None]) -> LocalRun:
    """Roll out a copy of the champion, kill its server under load, and check the rollback.

    Args:
        stack: Running services, with embedded servers.
        dataset: Name of the dataset.
        heard: Called with a task's title and a line for each progress line of a task.

    Raises:
        UserError: If nothing is in service, or there are no pictures to send.
    """
    assert stack.detectors
    env = stack.env
    objects = Objects(env["OBJECT_STORE_URL"])
    killer = Killer(stack.detectors.candidate)
    with closing(connect(env["DATABASE_URL"])) as connection, TemporaryDirectory() as folder:
        registry, page = Registry(connection), Path(folder) / "page.html"
        champion = registry.champion(dataset)
        if champion is None:
            raise UserError(f"{dataset} has no model in service, expected one for the drill")
        jpegs = list(served_lately(connection, objects, dataset, PROBES))
        if not jpegs:
            raise UserError(f"{dataset} has served no image yet, expected some for the drill")
        copy = copied(registry, objects, champion, env.get("SIGNING_PRIVATE_KEY"))
        options = {"dataset": dataset, "model": copy, "page": page}
        with Clients(env["DETECTOR_URL"], dataset, jpegs, killer) as clients:
            run = run_job(stack, "deploy_model", options, heard)
        now = registry.champion(dataset)
        if page.exists():
            kept = run.folder / "drill" / "deploy-model" / "page"
            kept.parent.mkdir(parents=True)
            kept.write_bytes(page.read_bytes())
    return _with_outcome(run, clients, killer, serves_on=now == champion)


def copied(registry: Registry, objects: Objects, champion: Version, key: str | None) -> str:
    """Register a copy of a champion with the next seed, and return its digest.

    Args:
        registry: Registry that takes the version.
        objects: Object store that holds the package, and takes the copy.
        champion: Version that is copied.
        key: File of the private key that signs the copy; None leaves it unsigned.
    """
    with TemporaryDirectory() as folder:
        layout = RegisteredLayout(folder)
        objects.get_folder(RegisteredLayout.prefix(champion.model), folder)
        package = PackageLayout(layout.package)
        info = PackageInfo.read(package.info)
        lineage = info.lineage.model_copy(update={"seed": info.lineage.seed + 1})
        info.model_copy(update={"lineage": lineage}).write(package.info)
        model = package.verify().digest
        layout.signature.unlink(missing_ok=True)
        if key:
            sign(layout.package, layout.signature, Path(key))
        prefix = RegisteredLayout.prefix(model)
        objects.put_folder(prefix, folder)
    registry.register(
        champion.dataset, model, objects.uri(prefix), champion.snapshot,
        lineage.model_dump(mode="json"), champion.metrics, REASON, champion.model,
    )  # fmt: skip
    return model


def _with_outcome(run: LocalRun, clients: Clients, killer: Killer, serves_on: bool) -> LocalRun:
    """Return the run with a sentence of the result; a rollout that succeeded is the failure."""
    (step,) = run.steps
    killed = (
        f"candidate killed at {KILL_AT} % of traffic, no traffic after {killer.seconds or 0:.1f} s"
    )
    if killer.seconds is None:
        killed = "candidate NOT killed, or NOT removed from traffic"
    cause = run.cause or "promoted"
    guarded = "" if GUARD in run.cause else f"; NOT rolled back for failed requests: {cause}"
    champion = f"champion {'stays in service' if serves_on else 'LOST'}"
    step.progress = f"{clients.summary}; {killed}{guarded}; {champion}"
    met = clients.statuses[200] > 0 and not clients.failed
    right = met and killer.seconds is not None and not guarded and serves_on
    run.cause = "" if right else step.progress
    step.state = "SUCCESS" if right else "FAILURE"
    return run
