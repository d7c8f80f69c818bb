"""Routes that list predictions and frames: filters, pages by key, and formats for tools.

A page goes on after the last row of the one before (keyset pagination), so every page costs the
same, and rows that arrive meanwhile move none.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from components.serving.gateway.formats import MEDIA_TYPES, Format, rendered
from components.serving.gateway.keyset import Keyset, Rows, read_page
from components.serving.gateway.requests import DATASET, classes_of, errors
from components.serving.gateway.route import GatewayRoute
from components.serving.gateway.schemas import FrameRow, FramesPage, Prediction, PredictionsPage
from components.shared.contracts.values import Instant, Key, Sha256

MAX_ROWS, DEFAULT_ROWS = 10_000, 100

PREDICTIONS = Keyset(
    table="silver.predictions", columns=tuple(Prediction.model_fields),
    order=("predicted_at", "sequence"), types=("timestamptz", "bigint"),
)  # fmt: skip
FRAMES = Keyset(
    table="silver.frames", columns=tuple(FrameRow.model_fields),
    order=("captured_at", "sha256"), types=("timestamptz", "text"),
)  # fmt: skip

router = APIRouter(route_class=GatewayRoute, tags=["queries"])

Since = Annotated[Instant | None, Query(description="from this instant on, RFC 3339")]
Until = Annotated[Instant | None, Query(description="before this instant, RFC 3339")]
Camera = Annotated[Key | None, Query(description="of this camera")]
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS, description="rows of a page")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]
Form = Annotated[Format, Query(description="json, ndjson, csv or parquet")]
Score = Annotated[float | None, Query(ge=0, le=1, description="of the highest score")]


@router.get(
    "/v1/datasets/{dataset}/predictions",
    responses=errors() | {200: {"model": PredictionsPage, "content": MEDIA_TYPES}},
    dependencies=[Depends(classes_of)],
    summary="Served answers, the newest first",
)
async def get_predictions(
    request: Request,
    dataset: DATASET,
    since: Since = None,
    until: Until = None,
    camera: Camera = None,
    model: Annotated[Sha256 | None, Query(description="of this package")] = None,
    min_score: Score = None,
    max_score: Score = None,
    limit: Limit = DEFAULT_ROWS,
    cursor: Cursor = None,
    format: Form = "json",  # noqa: A002
) -> Response:
    """List answers by time, camera, model and highest score."""
    filters = {
        "predicted_at >= %s": since,
        "predicted_at < %s": until,
        "camera = %s": camera,
        "model = %s": model,
        "max_score >= %s": min_score,
        "max_score <= %s": max_score,
    }
    page = await run_in_threadpool(
        read_page, request.app.state.database, PREDICTIONS, dataset, filters, limit, cursor
    )
    return _response(request, page, format)


@router.get(
    "/v1/datasets/{dataset}/frames",
    responses=errors() | {200: {"model": FramesPage, "content": MEDIA_TYPES}},
    dependencies=[Depends(classes_of)],
    summary="Stored frames, the newest first",
)
async def get_frames(
    request: Request,
    dataset: DATASET,
    since: Since = None,
    until: Until = None,
    camera: Camera = None,
    split: Annotated[
        Literal["train", "validation", "test"] | None, Query(description="chosen by the owner")
    ] = None,
    limit: Limit = DEFAULT_ROWS,
    cursor: Cursor = None,
    format: Form = "json",  # noqa: A002
) -> Response:
    """List frames by time, camera and split."""
    filters = {
        "captured_at >= %s": since,
        "captured_at < %s": until,
        "camera = %s": camera,
        "split = %s": split,
    }
    page = await run_in_threadpool(
        read_page, request.app.state.database, FRAMES, dataset, filters, limit, cursor
    )
    return _response(request, page, format)


def _response(request: Request, page: Rows, form: Format) -> Response:
    headers = {}
    if page.next:
        url = request.url.include_query_params(cursor=page.next)
        headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    content, media_type = rendered(page, form)
    return Response(content, 200, headers, media_type)
