"""Routes of the Open Inference Protocol (KServe v2) and of its model repository extension."""

import uuid
from typing import Any

from kserve.protocol.dataplane import DataPlane
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.serving.serve_detector.model import DatasetModel
from components.serving.serve_detector.pool import Pool
from components.serving.serve_detector.repository import Repository
from components.serving.serve_detector.tensors import (
    JSON_LENGTH,
    MAX_DESCRIPTION_BYTES,
    Answer,
    Inference,
    max_bytes,
    read_request,
    write_answer,
)
from components.shared.inference.picture import Floats
from components.shared.traffic.limit import MAX_BODY_BYTES, by_prefix

INFER = "/v2/models/{dataset}/infer"
WAITING = 8  # requests whose tensors may wait to be read


class Protocol:
    """Open Inference Protocol over the models of a repository.

    Args:
        repository: The models in service.
        pool: Thread pool for inference and for writing answers.
    """

    def __init__(self, repository: Repository, pool: Pool) -> None:
        self._repository = repository
        self._pool = pool
        # A pool of its own, so that slow parsing of JSON takes no thread from JPEGs.
        self._readers = Pool(1, WAITING)
        self._plane = DataPlane(repository)

    @property
    def routes(self) -> list[Route]:
        """Routes for all clients."""
        return [
            Route("/", self._live),
            Route("/metrics", self._metrics),
            Route("/v2", self._metadata),
            Route("/v2/health/live", self._live),
            Route("/v2/health/ready", self._ready),
            Route("/v2/models", self._models),
            Route("/v2/models/{dataset}", self._model),
            Route("/v2/models/{dataset}/ready", self._model_ready),
            Route(INFER, self._infer, methods=["POST"]),
        ]

    @property
    def admin_routes(self) -> list[Route]:
        """Routes that load and unload models, for deployments alone."""
        path = "/v2/repository/models/{dataset}"
        return [
            Route("/v2/repository/index", self._index, methods=["POST"]),
            Route(f"{path}/load", self._load, methods=["POST"]),
            Route(f"{path}/unload", self._unload, methods=["POST"]),
        ]

    def max_body_bytes(self, path: str) -> int:
        """Return the maximum size of a body in bytes, which depends on the model."""
        head, _, last = path.removeprefix("/v2/models/").rpartition("/")
        if path.startswith("/v2/models/") and last == "infer":
            model = self._repository.get_model(head)
            return (
                min(max_bytes(model.size), MAX_BODY_BYTES[""]) if model else MAX_DESCRIPTION_BYTES
            )
        return by_prefix(MAX_BODY_BYTES)(path)

    async def _metrics(self, _: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def _metadata(self, _: Request) -> Response:
        return JSONResponse(self._plane.metadata())

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"live": True})

    async def _ready(self, _: Request) -> Response:
        """Answer whether all models of the store are loaded, and which are not."""
        absent = self._repository.absent()
        error = {"error": f"not loaded: {', '.join(absent)}"} if absent else {}
        return JSONResponse({"ready": not absent} | error, 503 if absent else 200)

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"models": sorted(self._repository.get_models())})

    async def _model(self, request: Request) -> Response:
        model = self._model_of(request)
        return JSONResponse(await self._plane.model_metadata(model.name))

    async def _model_ready(self, request: Request) -> Response:
        return JSONResponse({"name": self._model_of(request).name, "ready": True})

    async def _infer(self, request: Request) -> Response:
        model, body = self._model_of(request), await request.body()
        length = request.headers.get(JSON_LENGTH)
        inference, images = await self._readers.run(read_request, body, length, model.size)
        answer = await self._pool.run(_answered, model, inference, images)
        if answer.json_bytes is None:
            return Response(answer.content, media_type="application/json")
        headers = {JSON_LENGTH: str(answer.json_bytes)}
        return Response(answer.content, 200, headers, "application/octet-stream")

    async def _index(self, _: Request) -> Response:
        loaded = self._repository.get_models()
        names = sorted({*loaded, *self._repository.absent()})
        states: list[dict[str, Any]] = [
            {"name": name, "state": "READY" if name in loaded else "UNAVAILABLE"} for name in names
        ]
        return JSONResponse(states)

    async def _load(self, request: Request) -> Response:
        name = request.path_params["dataset"]
        await self._repository.load(name)
        return JSONResponse({"name": name, "load": True})

    async def _unload(self, request: Request) -> Response:
        name = self._model_of(request).name
        self._repository.unload(name)
        return JSONResponse({"name": name, "unload": True})

    def _model_of(self, request: Request) -> DatasetModel:
        return self._repository.model_named(request.path_params["dataset"])


def _answered(model: DatasetModel, inference: Inference, images: Floats) -> Answer:
    head = {"model_name": model.name, "model_version": model.detector.digest}
    tensors = model.detector.tensors(images)
    return write_answer(inference, uuid.uuid4().hex, head, tensors)
