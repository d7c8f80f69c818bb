"""Client facade for one Kubeflow Pipelines host: upload, submit, runs, schedules."""

from functools import cached_property
from pathlib import Path
from typing import Any

from components.shared.kubeflow.client import HostClient, connect
from pipelines.kubeflow import runs, versions
from pipelines.kubeflow.runs import Run
from pipelines.kubeflow.schedule_file import FILE
from pipelines.kubeflow.schedules import Schedules
from pipelines.kubeflow.versions import Uploaded


class Host:
    """A host of Kubeflow Pipelines.

        host = Host("https://kubeflow.example.com/pipeline")
        host.upload("train")
        run = host.submit("train", dataset="car-parks", approval="manual")
        run.wait()
        print(run.logs())
        host.schedules.apply()

    All methods are idempotent: what exists is found, and not made again.

    Args:
        url: URL of the API; empty takes KFP_HOST.
        namespace: Namespace in a multi-user installation; empty takes KFP_NAMESPACE.
        ca: File of the certificates to trust; empty takes KFP_CA.
        schedules: The schedule file.
    """

    def __init__(
        self, url: str = "", *, namespace: str = "", ca: str = "", schedules: str | Path = FILE
    ) -> None:
        self._url, self._namespace, self._ca, self._schedules = url, namespace, ca, schedules

    @cached_property
    def client(self) -> HostClient:
        """The SDK's own client, for all other requests."""
        return connect(self._url, namespace=self._namespace, ca=self._ca)

    @cached_property
    def schedules(self) -> Schedules:
        """The schedules, to compare with the host's or to apply to it."""
        return Schedules(self.client, Path(self._schedules))

    def upload(
        self, pipeline: str, *, allow_dirty: bool = False, allow_tags: bool = False
    ) -> Uploaded:
        """Upload the version of a pipeline that this git revision makes.

        Args:
            pipeline: Command-line name of the pipeline, a key of `pipelines.graphs.GRAPHS`.
            allow_dirty: Whether uncommitted changes may be uploaded.
            allow_tags: Whether images may be named by tag, and not by digest.

        Raises:
            UserError: If the tree is dirty, the pipeline breaks the policy for what is
                released, or the host does not take it.
        """
        return versions.upload(
            self.client, pipeline, allow_dirty=allow_dirty, allow_tags=allow_tags
        )

    def submit(
        self, pipeline: str, *, name: str = "", version: str = "", again: bool = False, **given: Any
    ) -> Run:
        """Start a run of this checkout's version, or find the one that this started before.

        If that version is not uploaded, the newest runs, and its name is printed on stderr.

        Args:
            pipeline: Command-line name of the pipeline, a key of `pipelines.graphs.GRAPHS`.
            name: Name of the run; empty makes one from all that defines the run.
            version: Name of another version.
            again: Whether to start another run of the same.
            **given: Pipeline parameters; the others keep their defaults.

        Raises:
            UserError: If a parameter is wrong, or the host does not take the run.
        """
        return runs.submit(self.client, pipeline, given, name=name, version=version, again=again)

    def run(self, run: str) -> Run:
        """Return a run by its name or its id.

        Raises:
            UserError: If the host has no such run.
        """
        return runs.find(self.client, run)
