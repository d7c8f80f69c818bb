"""The server that KServe runs, and a laptop: `python -m components serve_detector`."""

import argparse
import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kserve import ModelServer  # type: ignore[import-untyped]
from kserve.logging import configure_logging  # type: ignore[import-untyped]
from kserve.model_server import app  # type: ignore[import-untyped]
from kserve.utils.utils import cpu_count  # type: ignore[import-untyped]

from components.contracts.refusal import Refusal
from components.inference.shelf import Shelf
from components.inference.signature import public_key
from components.serve_detector.detect import Detect
from components.serve_detector.pool import Pool
from components.serve_detector.predictions import PredictionLog
from components.serve_detector.repository import Repository, RepositoryApi
from components.traffic.declined import Declined, answer_refusal
from components.traffic.limit import MOST_BYTES, BodyLimit

WAITING = 32  # requests for each inference that runs

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> None:
    """Serve every dataset under the model root until SIGTERM."""
    options = _options(arguments)
    configure_logging()
    logging.basicConfig(level=logging.INFO)
    for noisy in ("kserve.trace", "uvicorn.access", "kafka"):  # several lines a request
        logging.getLogger(noisy).setLevel(logging.WARNING)
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    log = PredictionLog(servers) if servers else None
    pool = Pool(options.inferences, WAITING * options.inferences)
    repository = Repository(Shelf(options.model_root), pool, public_key(os.environ), options.slot)
    _add_routes(Detect(repository, pool, log))
    try:
        load(repository, options.strict)
        Server(options, repository).start([])
    finally:
        pool.close()
        if log:
            log.close()


class Server(ModelServer):  # type: ignore[misc]
    """KServe's server without gRPC, on an address of our choice.

    Args:
        options: `host`, `http_port` (0 for any free one) and `port_file`.
        repository: The models.
    """

    def __init__(self, options: argparse.Namespace, repository: Repository) -> None:
        """Take the repository's own loading for KServe's."""
        super().__init__(
            http_port=options.http_port, workers=1, registered_models=repository, enable_grpc=False,
            enable_latency_logging=False,
        )  # fmt: skip
        self._options = options
        self.model_repository_extension = RepositoryApi(repository)

    def stop(self, sig: int) -> None:
        """End; KServe's own forgets a signal that comes before uvicorn listens to it."""
        del sig
        self._rest_server._server.should_exit = True

    async def _serve(self) -> None:
        # KServe listens everywhere; on a laptop that is too far.
        self._rest_server.config.host = self._options.host
        await asyncio.gather(*self.servers, self._announce(self._rest_server._server))

    async def _announce(self, server: Any) -> None:
        """Say, once it is true, where the server listens."""
        while not server.started and not server.should_exit:
            await asyncio.sleep(0.01)
        if not server.started:
            return
        port = server.servers[0].sockets[0].getsockname()[1]
        logger.info("serving on http://%s:%d", self._options.host, port)
        if file := self._options.port_file:
            fresh = file.with_name(f"{file.name}.{os.getpid()}")
            fresh.write_text(f"{port}\n")
            fresh.replace(file)


def load(repository: Repository, strict: bool) -> None:
    """Load what is current, and say what is refused.

    Raises:
        Refusal: If it is strict and serves not all of it, or nothing.
    """
    refused = repository.load_models()
    if strict and (refused or not repository.get_models()):
        raise Refusal("; ".join(refused) or f"{repository.models_dir} holds no package")
    for sentence in refused:
        logger.error(sentence)


def _add_routes(detect: Detect) -> None:
    app.add_api_route("/v1/detect/{dataset}", detect.answer, methods=["POST"], response_model=None)
    app.add_middleware(BodyLimit, most=MOST_BYTES)
    for kind in (Refusal, Declined):
        app.add_exception_handler(kind, answer_refusal)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m components serve_detector", description=main.__doc__
    )
    parser.add_argument("--model-root", default=os.environ.get("MODEL_ROOT"), type=Path,
                        help="folder of datasets and their packages (or MODEL_ROOT)")  # fmt: skip
    parser.add_argument("--http-port", default=8080, type=int, help="0 for any free one")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container")
    parser.add_argument("--port-file", type=Path, help="the port is written here once it listens")
    parser.add_argument("--slot", default="current", choices=("current", "candidate"),
                        help="which packages: in service, or on trial")  # fmt: skip
    parser.add_argument("--strict", action="store_true",
                        help="serve all packages that are there, or none")  # fmt: skip
    parser.add_argument("--inferences", default=cpu_count(), type=int, help="at once")
    options = parser.parse_args(arguments)
    if options.model_root is None:
        parser.error("--model-root or MODEL_ROOT is needed")
    return options
