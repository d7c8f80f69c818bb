"""The real `python -m components ingest_events`, as a process that is watched from outside."""

import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import psutil
import yaml

from pipelines.local.database import free_port
from pipelines.local.processes import Child
from tests.support.waiting import PATIENCE_S, await_true

ROOT = Path(__file__).parents[2]
DEPLOYMENT = ROOT / "manifests/base/deployment-ingest.yaml"
OWN = ("KAFKA_", "AWS_", "DATABASE_URL", "OBJECT_STORE_URL")  # set by the proof alone


class Ingester:
    """One running ingester.

    Args:
        log: File that takes what it prints.
        options: Of its command line.
        environment: What it is given beside this process's own environment.
    """

    def __init__(self, log: Path, *options: str, environment: Mapping[str, str]) -> None:
        self.port = free_port()
        inherited = {key: text for key, text in os.environ.items() if not key.startswith(OWN)}
        self._child = Child(
            "ingest_events",
            [
                sys.executable, "-m", "components", "ingest_events",
                "--metrics-port", str(self.port), *options,
            ],
            log,
            env={**inherited, "PYTHONPATH": str(ROOT), **environment},
            death_signal=signal.SIGKILL,  # it may be suspended
        )  # fmt: skip
        self.process = psutil.Process(self._child.process.pid)

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._child.output()

    def lines(self, pattern: str) -> list[str]:
        """Return the lines it printed in which a pattern occurs, whatever its case."""
        found = re.compile(pattern, re.IGNORECASE)
        return [line for line in self.output.splitlines() if found.search(line)]

    def await_line(self, pattern: str, seconds: float = PATIENCE_S, known: int = 0) -> str:
        """Wait for such a line behind those that are known, and return the first one.

        It is an empty text when time is up.
        """
        await_true(lambda: len(self.lines(pattern)) > known or not self.runs, seconds)
        return next(iter(self.lines(pattern)[known:]), "")

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._child.process.poll() is None

    def status(self, probe: str = "readinessProbe") -> int | None:
        """Return what it answers to a probe of the Deployment; None if it does not answer."""
        try:
            return httpx.get(f"{self._url}{_path(probe)}", timeout=5).status_code
        except httpx.HTTPError:
            return None

    def metrics(self, pattern: str) -> dict[str, float]:
        """Return the metrics whose name and labels match a pattern; none if it does not answer."""
        try:
            text = httpx.get(f"{self._url}/metrics", timeout=5).text
        except httpx.HTTPError:
            return {}
        samples = (line.rpartition(" ") for line in text.splitlines() if line[:1] not in ("#", ""))
        return {name: float(value) for name, _, value in samples if re.search(pattern, name)}

    def metric(self, pattern: str) -> float | None:
        """Return the sum of these metrics; None if there are none."""
        found = self.metrics(pattern)
        return sum(found.values()) if found else None

    def ends_within(self, seconds: float = PATIENCE_S) -> int | None:
        """Wait for its end and return its exit code, or kill it and return None."""
        await_true(lambda: not self.runs, seconds)
        code = self._child.process.poll()
        self.kill()
        return code

    def terminate(self, seconds: float = 30) -> int | None:
        """Send SIGTERM and return its exit code; None if it did not end."""
        self._child.process.terminate()
        return self.ends_within(seconds)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._child.process.kill()
        self._child.process.wait()

    def cpu_s(self) -> float:
        """Return the CPU seconds that it used, in user and system mode."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def peak_mb(self) -> float:
        """Return the largest resident memory that it had, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024 / 1e6

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _path(probe: str) -> str:
    deployment = yaml.safe_load(DEPLOYMENT.read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return str(container[probe]["httpGet"]["path"])
