"""Containers that may do nothing but run, and what Docker itself says of how they ended.

`kfp.local` once called a failed container a success: it removes containers as they end and
takes one that is gone already for a good one. So nothing here believes it.
"""

import os
import re
import secrets
import threading
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import docker
from docker.types import Mount
from kfp import dsl, local
from kfp.dsl.base_component import BaseComponent

from components.shared.inference.signature import MOUNTED_KEY
from components.shared.settings.policy_file import KEY, MOUNT, VARIABLE

LABEL = "car-detection.proof"
# Somebody whom no image knows. On a machine where the proof is not root, what containers
# write must be the proof's own, or it could not remove it.
USER = f"{os.getuid() or 54321}:0"
SHUT: dict[str, Any] = {
    "user": USER,
    "read_only": True,
    "tmpfs": {"/tmp": ""},
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "network_mode": "host",
}
# What `pipelines/placement.py` gives tasks from secrets and config maps, where a run has it,
# and where the server of a laptop finds its models.
STORE = ("OBJECT_STORE_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL",
         "AWS_REGION", "AWS_ALLOW_HTTP")  # fmt: skip
GIVEN = ("DATABASE_URL", *STORE, "DETECTOR_", "MODEL_ROOT")
OUTPUT = re.compile(r'"outputFile":\s*"([^"]+)"')
SOON_S = 10


@dataclass
class Seen:
    """One container: its task, the words it was started with, its exit code, its seconds."""

    task: str
    words: list[str]
    created: int
    code: int | None = None
    seconds: int = 0


@dataclass
class Watch:
    """Hears from the Docker daemon of all containers with a label, while entered.

    Args:
        run: The label's value.
        seen: Containers by id.
    """

    run: str
    seen: dict[str, Seen] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._client = docker.from_env()
        self._events = self._client.events(
            decode=True,
            filters={
                "type": "container",
                "event": ["create", "die"],
                "label": f"{LABEL}={self.run}",
            },
        )
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        deadline = time.monotonic() + SOON_S  # the last word may still be under way
        while time.monotonic() < deadline and not self._all_ended():
            time.sleep(0.1)
        self._events.close()
        self._client.close()

    def complaints(self, tasks: set[str]) -> list[str]:
        """Return what is wrong, if each of these tasks should have run once and well."""
        ran = Counter(seen.task for seen in self.seen.values())
        return [
            *(
                f"{seen.task} ended with {'nothing' if seen.code is None else seen.code}"
                for seen in self.seen.values()
                if seen.code != 0
            ),
            *(f"{task} ran {ran[task]} times" for task in sorted(tasks) if ran[task] != 1),
            *(f"{task} is no task of the graph" for task in sorted(ran.keys() - tasks)),
        ]

    def _all_ended(self) -> bool:
        return all(seen.code is not None for seen in self.seen.values())

    def _hear(self) -> None:
        for event in self._events:
            name, now = event["id"], event["time"]
            if event["Action"] == "create":
                self.seen[name] = self._look(name, now)
            else:
                seen = self.seen.setdefault(name, Seen("unknown", [], now))
                seen.code = int(event["Actor"]["Attributes"]["exitCode"])
                seen.seconds = now - seen.created

    def _look(self, name: str, now: int) -> Seen:
        try:
            words = self._client.containers.get(name).attrs["Config"]["Cmd"]
        except docker.errors.NotFound:
            return Seen("unknown", [], now)
        found = OUTPUT.search(" ".join(words))
        return Seen(Path(found[1]).parent.name if found else "unknown", words, now)


def run_in_containers(
    graph: BaseComponent, folder: Path, parameters: dict[str, Any], env: dict[str, str]
) -> tuple[Watch, str]:
    """Run a pipeline under `kfp.local`; return what Docker and what `kfp.local` saw.

    Args:
        graph: The pipeline.
        folder: Gets its artifacts, its log and the words of its containers, and is all
            of this machine that they see.
        parameters: Pipeline parameters by name.
        env: Of which tasks get what they would get on a cluster.
    """
    folder.mkdir(exist_ok=True)
    run, said = secrets.token_hex(4), "SUCCESS"
    key = Mount(str(MOUNTED_KEY), env["SIGNING_PRIVATE_KEY"], type="bind", read_only=True)
    policy = Mount(str(MOUNT / KEY), env[VARIABLE], type="bind", read_only=True)
    with Watch(run) as watch, (folder / "log.txt").open("w") as log:
        runner = local.DockerRunner(
            entrypoint=[""],  # a task's command takes its place, as it does on a cluster
            labels={LABEL: run},
            environment=chosen(env, GIVEN),
            mounts=[key, policy],
            **SHUT,
        )
        local.init(runner, pipeline_root=str(folder))
        try:
            with redirect_stdout(log), redirect_stderr(log):
                graph(**parameters)
        except RuntimeError:
            said = "FAILURE"
    words = ("\n".join(seen.words) for seen in watch.seen.values())
    (folder / "words.txt").write_text("\n\n".join(words))
    return watch, said


def chosen(env: dict[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Return the variables whose names begin so."""
    return {name: value for name, value in env.items() if name.startswith(names)}


def tasks_of(graph: BaseComponent) -> set[str]:
    """Return the names of all tasks of a graph that are containers."""
    spec = graph.pipeline_spec
    dags = [spec.root.dag, *(component.dag for component in spec.components.values())]
    return {
        name
        for dag in dags
        for name, task in dag.tasks.items()
        if spec.components[task.component_ref.name].executor_label
    }


def failing(image: str) -> BaseComponent:
    """Return a pipeline of one task, which ends with exit code 3."""

    @dsl.component(base_image=image, install_kfp_package=False)
    def fails() -> None:
        import sys

        sys.exit(3)

    @dsl.pipeline(name="fails")
    def pipeline() -> None:
        fails()

    return pipeline
