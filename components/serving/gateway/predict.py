"""Routes that ask the detector: a JPEG, several images, or Open Inference Protocol tensors.

The detector's answers are passed on unchanged.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from components.serving.gateway.images import (
    FORM,
    FORM_BODY,
    JPEG,
    JPEG_BODY,
    form_images,
    media_type,
)
from components.serving.gateway.requests import (
    DATASET,
    FROM_DETECTOR,
    WITH_BODY,
    Caller,
    errors,
    whole_body,
)
from components.serving.gateway.route import GatewayRoute
from components.serving.gateway.schemas import ErrorAnswer, ImageAnswer, ImagesAnswer
from components.shared.contracts.model import DetectAnswer
from components.shared.contracts.values import Key
from components.shared.traffic.upstream import TENSORS_AFTER, Question, Reply, Upstream

JSON, BINARY = "application/json", "application/octet-stream"
AT_ONCE = 8  # images of one request that the detector is asked for at the same time
TENSORS = {JSON: {"schema": {"type": "object"}}, BINARY: {"schema": {"type": "string"}}}

router = APIRouter(route_class=GatewayRoute, tags=["predictions"])

Camera = Annotated[Key | None, Query(description="default: the name of the API key")]


@router.post(
    "/v1/datasets/{dataset}/predict",
    responses=errors(*WITH_BODY, *FROM_DETECTOR)
    | {
        200: {
            "description": "the boxes of one JPEG; of a form, those of each image",
            "content": {
                JSON: {
                    "schema": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/DetectAnswer"},
                            {"$ref": "#/components/schemas/ImagesAnswer"},
                            {"type": "object", "description": "tensors"},
                        ]
                    }
                }
            },
        }
    },
    openapi_extra={"requestBody": {"required": True, "content": JPEG_BODY | FORM_BODY | TENSORS}},
    summary="Detect objects in one JPEG, in several, or in tensors",
)
async def predict(
    request: Request, dataset: DATASET, key: Caller, camera: Camera = None
) -> Response:
    """Answer one JPEG as the detector does, several images one by one, or tensors.

    A form has one answer for each image, and an error where an image cannot be used.
    """
    kind = media_type(request, (JPEG, FORM, JSON, BINARY))
    if kind in TENSORS:
        return await _infer(request, dataset)
    upstream: Upstream = request.app.state.detector
    ids = request.headers.get("x-request-id") or uuid4().hex
    who = camera or key.name
    if kind == JPEG:
        question = _question(dataset, await whole_body(request), who, ids)
        return (await upstream.forward(question)).response()
    images = await form_images(request)
    slots = asyncio.Semaphore(AT_ONCE)

    async def asked(number: int, jpeg: bytes) -> Reply:
        async with slots:
            return await upstream.forward(_question(dataset, jpeg, who, f"{ids}-{number}"))

    replies = await asyncio.gather(*(asked(n, jpeg) for n, (_, jpeg) in enumerate(images)))
    answers = [_image(name, reply) for (name, _), reply in zip(images, replies, strict=True)]
    return JSONResponse(ImagesAnswer(images=answers).model_dump(mode="json"))


@router.post(
    "/v2/models/{dataset}/infer",
    responses=errors(*WITH_BODY, *FROM_DETECTOR),
    openapi_extra={"requestBody": {"required": True, "content": TENSORS}},
    summary="Open Inference Protocol: tensors in, tensors out",
    response_class=JSONResponse,
)
async def infer(request: Request, dataset: DATASET, key: Caller) -> Response:
    """Pass tensors to the detector, as JSON or with binary data behind it."""
    media_type(request, tuple(TENSORS))
    return await _infer(request, dataset)


async def _infer(request: Request, dataset: str) -> Response:
    upstream: Upstream = request.app.state.detector
    headers = {
        name.encode(): request.headers[name].encode("latin-1")
        for name in ("content-type", TENSORS_AFTER)
        if name in request.headers
    }
    path, body = f"/v2/models/{dataset}/infer", await whole_body(request)
    return (await upstream.forward(Question("POST", path, headers, body))).response()


def _question(dataset: str, jpeg: bytes, camera: str, request_id: str) -> Question:
    headers: Mapping[bytes, bytes] = {
        b"content-type": JPEG.encode(),
        b"x-camera": quote(camera).encode(),
        b"x-request-id": request_id.encode("latin-1"),
    }
    return Question("POST", f"/v1/detect/{dataset}", headers, jpeg)


def _image(name: str, reply: Reply) -> ImageAnswer:
    answer: DetectAnswer | None = reply.answer()
    error = None if answer else _sentence(reply)
    return ImageAnswer(name=name, status=reply.status, answer=answer, error=error)


def _sentence(reply: Reply) -> str:
    """Return the sentence of an error, or the start of its body if there is none."""
    try:
        return ErrorAnswer.model_validate_json(reply.content).error
    except ValidationError:
        return reply.content.decode(errors="replace")[:500]
