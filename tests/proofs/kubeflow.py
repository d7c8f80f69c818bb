"""Everything once on a real Kubeflow: train, deploy, ask, schedule; then nothing of it is left.

`make prove-kubeflow KFP_HOST=... KUBECONFIG=...` works on a dataset of its own, in the
namespace KFP_NAMESPACE (`car-detection`), where one of the overlays must be installed; OVERLAY
names one to install for the time of the proof. LAUNCHER chooses how the workers start. What
the proof makes is removed, also when it fails or is stopped. What it cannot remove are rows
and bytes of its dataset: the lake only grows.
"""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfp import compiler

from components.contracts.refusal import Refusal
from components.kubeflow.client import asking, url_of
from components.kubeflow.runs import EXPERIMENT, PAGE, account, find_pipeline
from pipelines.graphs import GRAPHS
from pipelines.kubeflow.host import Host
from pipelines.kubeflow.runs import Run, find
from pipelines.kubeflow.schedules import Schedules
from tests.proofs import kubeflow_graphs as graphs

NEEDED = ("KFP_HOST", "KUBECONFIG")
FRAMES = 300
EPOCHS = 4
FIRES_WITHIN_S = 600  # a schedule of every minute, on a busy cluster
HOURS = 3600.0
SCHEDULE = """
timezone: UTC
schedules:
  - {{name: prove, pipeline: watch, cron: "@every 60s", datasets: {{{dataset}: {{}}}}}}
"""


class Proof:
    """One pass over a host, and what has to be undone after it, last thing first.

    Args:
        host: Kubeflow Pipelines.
        place: The namespace, a `kubeflow_namespace.Namespace`.
        dataset: A new name.
        every: Seconds between two looks at what is waited for.
        allow_tags: Whether images may be named by tag.
    """

    def __init__(
        self, host: Host, place: Any, dataset: str, every: float = 10.0, allow_tags: bool = False
    ) -> None:
        self.host, self.place, self.dataset, self.every = host, place, dataset, every
        self.allow_tags = allow_tags
        self.left: list[str] = []
        self._undo = ExitStack()

    def __enter__(self) -> "Proof":
        return self

    def __exit__(self, *failure: Any) -> None:
        self._undo.__exit__(*failure)

    def prove(self, overlay: str = "", launcher: str = "local") -> None:
        """Do everything, and print what was seen."""
        self._installed(overlay)
        self._uploaded()
        self.place.open_stream()
        self._later("the way to the stream", self.place.close_stream)
        self._ours("frames stored", graphs.arrive, frames=FRAMES)
        self._run(
            "trained", "train",
            dataset=self.dataset, epochs=EPOCHS, launcher=launcher, approval="manual",
        )  # fmt: skip
        self._later("the served model", self._retire)
        self._run("deployed", "deploy", dataset=self.dataset, model="challenger")
        asked = self._ours("answered", graphs.answer)
        print(f"    {self._figures(asked)}", flush=True)
        self._scheduled()

    def _installed(self, overlay: str) -> None:
        missing = self.place.missing()
        if missing and overlay:
            self._later(f"what {overlay} installs", partial(self.place.delete, overlay))
            self.place.apply(overlay)
            missing = self.place.missing()
        if missing:
            raise Refusal(
                f"namespace {self.place.name} lacks {', '.join(missing)}; expected an overlay to "
                "be installed there (manifests/README.md), or OVERLAY=folder of one"
            )
        print(f"installed in {self.place.name}", flush=True)

    def _uploaded(self) -> None:
        for name, graph in GRAPHS.items():
            if find_pipeline(self.host.client, graph.name) is None:
                self._later(f"pipeline {graph.name}", partial(self._forget, graph.name))
            version, was_there = self.host.upload(
                name, allow_dirty=True, allow_tags=self.allow_tags
            )
            if not was_there:
                act = partial(
                    self.host.client.delete_pipeline_version, version.pipeline_id, version.id
                )
                self._later(f"version {version.name} of {graph.name}", act)
        print(f"uploaded {', '.join(GRAPHS)} as {version.name}", flush=True)

    def _forget(self, pipeline: str) -> None:
        if found := find_pipeline(self.host.client, pipeline):
            self.host.client.delete_pipeline(found)

    def _run(self, told: str, pipeline: str, **given: Any) -> Run:
        """Run one of our pipelines to its good end."""
        name = f"{pipeline}-{self.dataset}"
        return self._ended(told, self.host.submit(pipeline, name=name, again=True, **given))

    def _ours(self, told: str, graph: Any, **given: Any) -> Run:
        """Run one of the proof's own graphs to its good end."""
        return self._ended(told, self._started(graph, **given))

    def _started(self, graph: Any, **given: Any) -> Run:
        host = self.host.client
        with TemporaryDirectory() as folder, asking(url_of(host)):
            file = str(Path(folder) / "graph.yaml")
            compiler.Compiler().compile(graph, file)
            run = host.create_run_from_pipeline_package(
                file, {"dataset": self.dataset, **given}, f"{graph.name}-{self.dataset}",
                experiment_name=EXPERIMENT, enable_caching=False, service_account=account(),
            )  # fmt: skip
        return find(host, str(run.run_id))

    def _ended(self, told: str, run: Run) -> Run:
        self._later(f"run {run.name}", partial(self._remove, run))
        begin = time.monotonic()
        run.wait(6 * HOURS, self.every)
        if not run.succeeded:
            raise Refusal(run.logs())
        print(f"{told} in {time.monotonic() - begin:.0f} s ({run.name})", flush=True)
        return run

    def _remove(self, run: Run) -> None:
        client = self.host.client
        with asking(url_of(client)):
            if run.refresh().state in ("PENDING", "RUNNING"):
                client.terminate_run(run.id)
            client.delete_run(run.id)

    def _retire(self) -> None:
        run = self._started(graphs.retire)
        if not run.wait(HOURS, self.every).succeeded:
            raise Refusal(run.logs())
        self._remove(run)

    def _figures(self, run: Run) -> str:
        found = re.search(r"^figures (\{.*\})$", self.place.log(run.id), re.MULTILINE)
        if not found:
            return "its figures are gone with its pod"
        return ", ".join(f"{name} {value}" for name, value in json.loads(found[1]).items())

    def _scheduled(self) -> None:
        client = self.host.client
        with TemporaryDirectory() as folder:
            file = Path(folder) / "prove.yaml"
            file.write_text(SCHEDULE.format(dataset=self.dataset))
            schedules = Schedules(client, file)
            self._later("the schedule and its runs", partial(self._unschedule, schedules))
            made = [step for step in schedules.apply() if step.make]
            if len(made) != 1 or any(step.make for step in schedules.apply()):
                raise Refusal(
                    f"a schedule was made {len(made)} times, or once more by a second apply"
                )
        (recurring,) = self._recurring(schedules)
        run = self._fired(recurring)
        with asking(url_of(client)):
            client.disable_recurring_run(recurring)
        run.wait(HOURS, self.every)
        if not run.succeeded:
            raise Refusal(run.logs())
        print(f"the schedule fired {run.name}, which {run.state.lower()}", flush=True)

    def _recurring(self, schedules: Schedules) -> list[str]:
        return [one.id for one in schedules.there() if one.name == f"prove-{self.dataset}"]

    def _fired(self, recurring: str) -> Run:
        end = time.monotonic() + FIRES_WITHIN_S
        while time.monotonic() < end:
            if runs := self._runs_of(recurring):
                return runs[0]
            time.sleep(self.every)
        raise Refusal(f"the schedule did not fire within {FIRES_WITHIN_S} s, expected every 60 s")

    def _runs_of(self, recurring: str) -> list[Run]:
        client = self.host.client
        with asking(url_of(client)):
            page = client.list_runs(page_size=PAGE, sort_by="created_at desc").runs or []
        return [Run(client, run) for run in page if run.recurring_run_id == recurring]

    def _unschedule(self, schedules: Schedules) -> None:
        for recurring in self._recurring(schedules):
            runs = self._runs_of(recurring)
            with asking(url_of(self.host.client)):
                self.host.client.delete_recurring_run(recurring)
            for run in runs:
                self._remove(run)

    def _later(self, what: str, act: Callable[[], Any]) -> None:
        """Remember what to undo; one thing that cannot be undone does not keep the others."""

        def undo() -> None:
            try:
                with asking(url_of(self.host.client)):
                    act()
                print(f"removed {what}", flush=True)
            except Refusal as refusal:
                self.left.append(what)
                print(f"NOT REMOVED: {what}: {refusal}", flush=True)

        self._undo.callback(undo)


def main() -> int:
    """Prove it on the cluster that the environment names, and return the exit code."""
    if missing := [name for name in NEEDED if not os.environ.get(name)]:
        print(
            f"{' and '.join(missing)} must say which cluster: make prove-kubeflow KFP_HOST=URL "
            "KUBECONFIG=file",
            file=sys.stderr,
        )
        return 2
    from tests.proofs.kubeflow_namespace import Namespace

    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    dataset = f"prove-{int(time.time())}"
    try:
        place = Namespace(os.environ.get("KFP_NAMESPACE") or "car-detection")
        with Proof(Host(), place, dataset) as proof:
            proof.prove(os.environ.get("OVERLAY", ""), os.environ.get("LAUNCHER") or "local")
    except Refusal as refusal:
        print(f"\nNOT proved: {refusal}", file=sys.stderr)
        return 1
    print(f"proved; rows and bytes of dataset {dataset} stay in the lake")
    return 1 if proof.left else 0


if __name__ == "__main__":
    sys.exit(main())
