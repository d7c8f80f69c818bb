"""Local model serving: the stable server, the canary server and the reverse proxy."""

import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from pipelines.local.database import free_port
from pipelines.local.processes import Child, Part, Revived


class Detectors(Part):
    """Two model servers, stable and candidate, and the reverse proxy; they share MODEL_ROOT.

    The constructor starts all three and waits until each one answers.

    Args:
        logs: Folder of their logs.
        env: Their environment.
        port: TCP port of the proxy; 0 takes any free port.

    Attributes:
        candidate: The candidate's server, which may end because of the model it serves.
        children: All three processes, the proxy last.
        env: Environment of a deployment: the URLs of the three.
    """

    def __init__(self, logs: Path, env: Mapping[str, str], port: int = 0) -> None:
        ports = free_port(), free_port(), port or free_port()
        admins = free_port(), free_port()
        urls, admin_urls = (
            [f"http://127.0.0.1:{port}" for port in some] for some in (ports, admins)
        )
        listen = [[f"--http-port={port}"] for port in ports]
        for options, admin in zip(listen, admins, strict=False):
            options.append(f"--admin-port={admin}")
        sides = [f"--stable={urls[0]}", f"--candidate={urls[1]}"]
        serve, route = _job("serve_detector"), _job("route_requests")
        stable = Revived(
            "the detector server", [*serve, *listen[0]], logs / "serve_detector.txt", env
        )  # fmt: skip
        self.candidate = Revived(
            "the candidates' server",
            [*serve, "--slot=candidate", *listen[1]],
            logs / "serve_candidate.txt",
            env,
        )
        door = Child(
            "the reverse proxy", [*route, *sides, *listen[2]], logs / "front_door.txt", env
        )
        self.children: tuple[Child, ...] = (stable, self.candidate, door)
        self.env = {
            "DETECTOR_URL": urls[2],
            "DETECTOR_STABLE_URL": admin_urls[0],
            "DETECTOR_CANDIDATE_URL": admin_urls[1],
        }
        try:
            with httpx.Client(timeout=2) as client:
                for child, url in zip(self.children, urls, strict=True):
                    child.wait_until(lambda url=url: _is_live(client, url))  # type: ignore[misc]
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the proxy first, then the servers."""
        for child in reversed(self.children):
            child.stop()


def _job(name: str) -> list[str]:
    return [sys.executable, "-m", "components", name]


def _is_live(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/v2/health/live").status_code == 200
    except httpx.TransportError:
        return False
