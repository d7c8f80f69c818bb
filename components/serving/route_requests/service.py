"""Run the reverse proxy that splits traffic: `python -m components route_requests`."""

import argparse
import logging
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from components.serving.route_requests.proxy import CanaryProxy
from components.shared.inference.package_store import PackageStore
from components.shared.traffic.host_names import HostNames
from components.shared.traffic.listen import Server, listen
from components.shared.traffic.upstream import Upstream

STABLE_SECONDS = 60.0
CANDIDATE_SECONDS = 2.0  # then the client has waited long enough, and the stable server answers
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main(arguments: Sequence[str]) -> None:
    """Split the requests between two detector servers until SIGTERM."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO)
    for noisy in ("httpx", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    stable = Upstream(options.stable, STABLE_SECONDS, attempts=3)
    candidate = Upstream(options.candidate, options.candidate_seconds, attempts=1)
    proxy = CanaryProxy(PackageStore(options.model_root), stable, candidate)
    listener = listen(options.host, options.http_port)
    Server(
        HostNames(proxy.app, _host_names(options)), {listener: options.port_file}
    ).run_until_stopped()


def _host_names(options: argparse.Namespace) -> Collection[str] | None:
    """Return the names that clients may call this machine by; None: any."""
    if options.host_names:  # and whoever looks after it on this machine
        return {*LOOPBACK, *str(options.host_names).replace(",", " ").split()}
    return LOOPBACK if options.host in LOOPBACK else None


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m components route_requests", description=main.__doc__
    )
    parser.add_argument("--stable", required=True, help="URL of the server in service")
    parser.add_argument("--candidate", required=True, help="URL of the candidates' server")
    parser.add_argument("--model-root", default=os.environ.get("MODEL_ROOT"), type=Path,
                        help="folder with packages and traffic split (or MODEL_ROOT)")  # fmt: skip
    parser.add_argument("--http-port", default=8080, type=int, help="TCP port; 0: any free port")
    parser.add_argument("--host", default="127.0.0.1", help="address; 0.0.0.0 in a container")
    parser.add_argument("--host-names", default=os.environ.get("DETECTOR_HOST_NAMES"),
                        help="host names that clients may use beside localhost, such as "
                        "detector.example.com (or DETECTOR_HOST_NAMES); default: localhost alone "
                        "if the server listens there, else any")  # fmt: skip
    parser.add_argument("--port-file", type=Path, help="file for the port, written when it listens")
    parser.add_argument("--candidate-seconds", default=CANDIDATE_SECONDS, type=float,
                        help="timeout, s; then the stable server answers")  # fmt: skip
    options = parser.parse_args(arguments)
    if options.model_root is None:
        parser.error("set --model-root or MODEL_ROOT")
    return options
