"""Local commands: run the loop or one pipeline, retrain, roll back, show history, serve."""

import os
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from components.promotion.deploy_model.pictures import served_lately
from components.shared.contracts.errors import UserError
from components.shared.contracts.object_store import scheme_of
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.registry import Alias, Registry
from pipelines.local import loop as whole
from pipelines.local.canary_failure_drill import PROBES
from pipelines.local.clients import Clients
from pipelines.local.local_stack import LocalStack, database_url, local_stack
from pipelines.local.terminal import Terminal
from pipelines.parameters import checked

ALIASES: tuple[Alias, ...] = ("champion", "previous", "challenger")


def loop(data: str, name: str) -> int:
    """Run the whole loop, as `make run` does, and return the exit code.

    Args:
        data: Folder of labelled images; empty draws simulated cameras.
        name: Name of the dataset; empty takes it from the folder.
    """
    whole.loop(data, name)
    return 0


def run(name: str, parameters: Mapping[str, Any]) -> int:
    """Run one pipeline and print the table of its steps; return the exit code.

    Args:
        name: Command-line name of the pipeline.
        parameters: Pipeline parameters by name.

    Raises:
        UserError: If a parameter is unknown or not allowed, before anything is started.
    """
    parameters = _on_this_machine(name, parameters)
    with local_stack() as stack:
        story = whole.Story(str(parameters["dataset"]), stack, Terminal())
        story.pipeline(name.capitalize(), name, parameters)
        story.ingested()
        story.terminal.steps(story.runs)
    return 0


def retrain(frames: int) -> int:
    """Label frames of night and rain by the simulator's ground truth, and train again.

    Args:
        frames: Number of frames to draw.

    Raises:
        UserError: If there is no champion to compare with.
    """
    with local_stack() as stack:
        story = whole.Story(whole.SIMULATED, stack, Terminal())
        if not whole.is_served(story):
            raise UserError(f"{whole.SIMULATED} has no champion yet: run `make run` first")
        story.job(
            "Labels", "simulate_cameras", dataset=story.dataset, frames=frames,
            conditions="night-rain", first_day="2026-01-12",
        )  # fmt: skip
        story.ingested()
        with Clients(
            stack.env["DETECTOR_URL"], story.dataset, _lately(stack, story.dataset)
        ) as clients:
            story.train(grow_test=True)
        story.terminal.say(f"\nmeanwhile: {clients.summary}")
        story.terminal.steps(story.runs)
    return 0


def rollback(dataset: str) -> int:
    """Put the previous model into service again, on this machine.

    Args:
        dataset: Name of the dataset.

    Raises:
        UserError: If DATABASE_URL names a database whose models are not served here: its
            registry would change, but clients would have the same model as before.
    """
    served = os.environ.get("DETECTOR_URL") or os.environ.get("DETECTOR_TARGET")
    if os.environ.get("DATABASE_URL") and not served:
        raise UserError(
            "DATABASE_URL names a registry, and nothing says where its models are served; "
            "expected KFP_HOST or --host for those of a cluster, DETECTOR_URL for servers of "
            "your own, or no DATABASE_URL for this machine's"
        )
    return run("deploy", {"dataset": dataset, "model": "previous"})


def history(dataset: str) -> int:
    """Print a dataset's models, the one in service, and the audit of all changes.

    Args:
        dataset: Name of the dataset.
    """
    checked("deploy", {"dataset": dataset})
    with database_url() as url, closing(connect(url)) as connection:
        registry = Registry(connection)
        versions, entries = registry.versions(dataset), registry.history(dataset)
        aliases = {alias: registry.alias(dataset, alias) for alias in ALIASES}
    if not versions:
        raise UserError(f"{dataset} has no model yet; `make run` makes one")
    Terminal().history(versions, aliases, entries)
    return 0


def serve(port: int, api_port: int) -> int:
    """Serve the champions and the HTTP API until a signal stops the process.

    Args:
        port: TCP port of the reverse proxy.
        api_port: TCP port of the HTTP API.

    Raises:
        UserError: If there is no model to serve yet.
    """
    with local_stack(detector_port=port, api_port=api_port) as stack:
        url = stack.env["DETECTOR_URL"]
        models = httpx.get(f"{url}/v2/models", timeout=10).json()["models"]
        if not models:
            raise UserError(f"{stack.state} holds no model to serve yet; `make run` makes one")
        assert stack.gateway is not None
        api, key = stack.gateway.url, stack.gateway.key_file
        print(f"serving {', '.join(models)}; stop with Ctrl-C")
        print(f"  detector       {url}")
        print(f"  API            {api}, API key in {key}")
        print(f"  documentation  {api}/docs")
        kind = "-H 'Content-Type: image/jpeg'"
        token = f'-H "Authorization: Bearer $(cat {key})"'
        for name in models:
            print(f"  curl --data-binary @image.jpg {kind} {url}/v1/detect/{name}")
            print(f"  curl --data-binary @image.jpg {kind} {token} {api}/v1/datasets/{name}/frames",
                  flush=True)  # fmt: skip
        while True:
            stack.must_run()
            time.sleep(0.5)


def _on_this_machine(pipeline: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return validated parameters of a pipeline, if what they name exists on this machine."""
    parameters = checked(pipeline, given)
    for name in ("folder", "source"):
        path = str(parameters.get(name, ""))
        if path and not scheme_of(path) and not Path(path).exists():
            raise UserError(f"{pipeline}: {name} is {path!r}, which is not there")
    return parameters


def _lately(stack: LocalStack, dataset: str) -> list[bytes]:
    """Return the last served pictures, for the load during a rollout."""
    objects = Objects(stack.env["OBJECT_STORE_URL"])
    with closing(connect(stack.env["DATABASE_URL"])) as connection:
        return list(served_lately(connection, objects, dataset, PROBES))
