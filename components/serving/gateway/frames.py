"""Route `POST /v1/datasets/{dataset}/frames`: store images that cameras and people send."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from components.serving.gateway.images import (
    FORM_BODY,
    JPEG_BODY,
    NDJSON_BODY,
    Described,
    described,
    sent_images,
)
from components.serving.gateway.outbox import Outbox
from components.serving.gateway.requests import DATASET, WITH_BODY, Caller, classes_of, errors
from components.serving.gateway.route import GatewayRoute
from components.serving.gateway.schemas import FramesAnswer

REFUSED = 422
router = APIRouter(route_class=GatewayRoute, tags=["frames"])


@router.post(
    "/v1/datasets/{dataset}/frames",
    status_code=202,
    responses=errors(*WITH_BODY) | {REFUSED: {"description": "no image could be stored"}},
    openapi_extra={
        "requestBody": {"required": True, "content": JPEG_BODY | FORM_BODY | NDJSON_BODY}
    },
    summary="Send one JPEG, or up to 1,000 as a form or as NDJSON",
)
async def post_frames(
    request: Request,
    response: Response,
    dataset: DATASET,
    key: Caller,
    query: Annotated[Described, Depends(described)],
    classes: Annotated[tuple[str, ...], Depends(classes_of)],
) -> FramesAnswer:
    """Store each image and announce it to ingestion; the answer comes when both are safe.

    An image that cannot be used is kept in quarantine with the reason; its neighbours are stored.
    The same image again is the same frame.
    """
    outbox: Outbox = request.app.state.outbox
    images = await sent_images(request, query)
    source = f"/gateway/{key.key_id}"
    answers = await run_in_threadpool(outbox.send_frames, dataset, source, images)
    if all(answer.status == "refused" for answer in answers):
        response.status_code = REFUSED
    return FramesAnswer(frames=answers)
