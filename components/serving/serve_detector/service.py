"""Run the detector server, on KServe or on a laptop: `python -m components serve_detector`."""

import argparse
import logging
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from kserve.utils.utils import cpu_count
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from components.serving.serve_detector.detect import Detect
from components.serving.serve_detector.pool import Pool
from components.serving.serve_detector.predictions import PredictionLog
from components.serving.serve_detector.protocol import Protocol
from components.serving.serve_detector.repository import Repository
from components.shared.contracts.errors import UserError
from components.shared.inference.memory import trim_memory
from components.shared.inference.package_store import PackageStore
from components.shared.inference.signature import public_key
from components.shared.settings.policy_file import policy_from
from components.shared.traffic.http_errors import EXCEPTION_HANDLERS
from components.shared.traffic.limit import BodyLimit
from components.shared.traffic.listen import Server, listen, port_of

WAITING = 32  # requests for each inference that runs

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str], wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> None:
    """Serve every dataset under the model root until SIGTERM.

    Args:
        arguments: Options of the command line.
        wrap: Wraps the application, such as with a fault in a test.
    """
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO)
    for noisy in ("kafka", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    key, policy = public_key(os.environ), policy_from(os.environ)
    if key is None:
        logger.warning("serves unsigned packages: SIGNING_PUBLIC_KEY names no key to verify with")
    listeners = {listen(options.host, options.http_port): options.port_file}
    admin = None
    if options.admin_port is not None:
        admin = listen(options.admin_host, options.admin_port)
        listeners[admin] = options.admin_port_file
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    log = PredictionLog(servers) if servers else None
    pool = Pool(options.inferences, WAITING * options.inferences)
    package_store = PackageStore(options.model_root)
    repository = Repository(package_store, key, options.slot, tolerance=policy.golden)
    try:
        load(repository, options.strict)
        Server(wrap(application(repository, pool, log, admin)), listeners).run_until_stopped()
    finally:
        pool.close()
        if log:
            log.close()


def application(
    repository: Repository, pool: Pool, log: PredictionLog | None, admin: socket.socket | None
) -> ASGIApp:
    """Return the ASGI application; on the admin port it also loads and unloads models.

    Args:
        repository: The models in service.
        pool: Thread pool for inference.
        log: Log of predictions; None for no log.
        admin: Socket of the admin port; None if there is none.
    """
    protocol, detect = Protocol(repository, pool), Detect(repository, pool, log)
    routes = [Route("/v1/detect/{dataset}", detect.answer, methods=["POST"]), *protocol.routes]
    public = _starlette(routes)
    admins = _starlette([*routes, *protocol.admin_routes])
    app = ByPort(public, {port_of(admin): admins} if admin else {})
    return BodyLimit(app, protocol.max_body_bytes, trim=trim_memory)


class ByPort:
    """ASGI application that dispatches by the port of the server.

    Args:
        app: Application for all other ports.
        others: Applications by port.
    """

    def __init__(self, app: ASGIApp, others: dict[int, ASGIApp]) -> None:
        self._app = app
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application of the port."""
        port = scope["server"][1] if scope["type"] == "http" else 0
        await self._others.get(port, self._app)(scope, receive, send)


def load(repository: Repository, strict: bool) -> None:
    """Load all current packages, and log which are refused.

    Args:
        repository: The models in service.
        strict: Whether one refused package, or an empty store, is an error.

    Raises:
        UserError: If it is strict and a package is refused, or there is none.
    """
    refused = repository.load_models()
    if strict and (refused or not repository.get_models()):
        raise UserError("; ".join(refused) or f"{repository.models_dir} holds no package")
    for sentence in refused:
        logger.error(sentence)


def _starlette(routes: Sequence[Route]) -> Starlette:
    app = Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS)
    app.router.redirect_slashes = False
    return app


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m components serve_detector", description="Serve detectors until SIGTERM."
    )
    parser.add_argument("--model-root", default=os.environ.get("MODEL_ROOT"), type=Path,
                        help="folder of datasets and their packages (or MODEL_ROOT)")  # fmt: skip
    parser.add_argument("--http-port", default=8080, type=int, help="TCP port; 0: any free port")
    parser.add_argument("--host", default="127.0.0.1", help="address; 0.0.0.0 in a container")
    parser.add_argument("--port-file", type=Path, help="file for the port, written when it listens")
    parser.add_argument("--admin-port", type=int,
                        help="TCP port to load and unload models; 0: any free port; default: "
                        "models cannot be loaded over HTTP")  # fmt: skip
    parser.add_argument("--admin-host", default="127.0.0.1",
                        help="address of the admin port; clients can unload models")  # fmt: skip
    parser.add_argument("--admin-port-file", type=Path, help="file for the admin port")
    parser.add_argument("--slot", default="current", choices=("current", "candidate"),
                        help="packages to serve: in service, or candidates")  # fmt: skip
    parser.add_argument("--strict", action="store_true",
                        help="stop if one package cannot be served")  # fmt: skip
    parser.add_argument("--inferences", default=cpu_count(), type=int, help="at the same time")
    options = parser.parse_args(arguments)
    if options.model_root is None:
        parser.error("set --model-root or MODEL_ROOT")
    return options
