"""Dependencies of routes: the caller, the body within the limit of its key, the dataset."""

from typing import Annotated, Any

from fastapi import Depends, Path, Request
from starlette.concurrency import run_in_threadpool

from components.serving.gateway.authorize import too_large
from components.serving.gateway.database import Database
from components.serving.gateway.schemas import ErrorAnswer
from components.shared.contracts.api_key import ApiKey
from components.shared.contracts.values import NAME
from components.shared.traffic.http_errors import unknown_model

DATASET = Annotated[str, Path(pattern=NAME, max_length=63, description="name of the dataset")]
Answers = dict[int | str, dict[str, Any]]

WHY = {
    400: "the body cannot be read",
    401: "no valid API key",
    403: "the API key lacks the role, or is for another dataset",
    404: "no such dataset, model, frame or answer",
    408: "the body came too slowly",
    409: "another request has this idempotency key",
    413: "the body is too large",
    415: "the body has another media type",
    422: "a value is not allowed",
    429: "too many requests with this API key",
    502: "the detector does not answer",
    503: "too busy, or a service is away",
    504: "the detector does not answer in time",
}
ALWAYS = (401, 403, 404, 422, 429, 503)
WITH_BODY = (400, 408, 413, 415)
FROM_DETECTOR = (502, 504)


def errors(*statuses: int) -> Answers:
    """Return the description of error answers for OpenAPI.

    Args:
        statuses: HTTP statuses besides those that every route has.
    """
    return {
        status: {"model": ErrorAnswer, "description": WHY[status]}
        for status in sorted({*ALWAYS, *statuses})
    }


def _caller(request: Request) -> ApiKey:
    key: ApiKey = request.state.key
    return key


Caller = Annotated[ApiKey, Depends(_caller)]


async def whole_body(request: Request) -> bytes:
    """Return the body.

    Raises:
        HttpError: 413, if it is larger than the API key allows.
    """
    key: ApiKey = request.state.key
    body = await request.body()
    if len(body) > key.max_body_bytes:
        raise too_large(key)
    return body


async def classes_of(request: Request, dataset: DATASET) -> tuple[str, ...]:
    """Return the classes of the dataset of a request.

    Args:
        request: The request.
        dataset: Name of the dataset, from its path.

    Raises:
        HttpError: 404, if the dataset was not declared.
    """
    database: Database = request.app.state.database
    return await run_in_threadpool(_classes, database, dataset)


def _classes(database: Database, dataset: str) -> tuple[str, ...]:
    query = "SELECT label FROM silver.classes WHERE dataset = %s ORDER BY position"
    if rows := database.select(query, (dataset,)):
        return tuple(row["label"] for row in rows)
    known = database.select("SELECT DISTINCT dataset FROM silver.classes ORDER BY dataset")
    raise unknown_model(dataset, [row["dataset"] for row in known])
