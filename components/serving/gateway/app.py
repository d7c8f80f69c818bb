"""The HTTP API as one FastAPI application: routes, errors, limits and its description."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from components.serving.gateway import datasets, frames, labels, predict, queries
from components.serving.gateway.authorize import BEARER, Authorizer
from components.serving.gateway.database import Database
from components.serving.gateway.outbox import Outbox
from components.serving.gateway.schemas import ImagesAnswer
from components.shared.contracts.model import DetectAnswer
from components.shared.inference.memory import trim_memory
from components.shared.traffic.http_errors import EXCEPTION_HANDLERS
from components.shared.traffic.limit import MAX_BODY_BYTES, BodyLimit
from components.shared.traffic.upstream import Upstream

MAX_BODY_SECONDS = 60.0
DESCRIPTION = """Send frames, ask for boxes, label and correct, and read what was served.

Every request has an API key: `Authorization: Bearer KEY`. Errors are JSON with one sentence:
`{"error": "..."}`."""


def application(database: Database, outbox: Outbox, detector: Upstream) -> ASGIApp:
    """Return the application.

    Args:
        database: Holds API keys, predictions and frames.
        outbox: Stores images and sends events.
        detector: The server that is asked for boxes.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await detector.close()
        database.close()

    app = FastAPIOffline(  # its documentation needs no network
        title="Car detection", version="1", description=DESCRIPTION, lifespan=lifespan,
        dependencies=[Security(BEARER)], redirect_slashes=False,
    )  # fmt: skip
    for kind, answer in (EXCEPTION_HANDLERS | {RequestValidationError: answer_invalid}).items():
        app.add_exception_handler(kind, answer)
    app.state.database, app.state.outbox, app.state.detector = database, outbox, detector
    app.state.authorizer = Authorizer(database)
    for part in (datasets, frames, predict, labels, queries):
        app.include_router(part.router)
    app.add_api_route("/health/live", live, include_in_schema=False)
    app.add_api_route("/health/ready", ready, include_in_schema=False)
    app.add_api_route("/metrics", metrics, include_in_schema=False)
    app.openapi = lambda: described(app)  # type: ignore[method-assign]
    return BodyLimit(app, lambda _: MAX_BODY_BYTES[""], seconds=MAX_BODY_SECONDS, trim=trim_memory)


def described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the answers that routes pass on unparsed."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        schemas = document["components"]["schemas"]
        for kind in (DetectAnswer, ImagesAnswer):
            schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {}) | {kind.__name__: schema}
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
    assert app.openapi_schema is not None
    return app.openapi_schema


async def answer_invalid(_: Request, error: Exception) -> Response:
    """Answer 422 with the first value that is not allowed."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    sentence = f"{field}: {first['msg'].removeprefix('Value error, ')}"
    return JSONResponse({"error": sentence[:500]}, 422)


async def live() -> Response:
    """Answer that the process runs."""
    return JSONResponse({"live": True})


def ready(request: Request) -> Response:
    """Answer whether the database answers."""
    database: Database = request.app.state.database
    database.select("SELECT 1")
    return JSONResponse({"ready": True})


async def metrics() -> Response:
    """Answer the Prometheus metrics."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
