"""Routes for people's boxes: labels of frames, and corrections of answers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool

from components.serving.gateway.database import Database
from components.serving.gateway.faults import faults_of
from components.serving.gateway.outbox import Outbox
from components.serving.gateway.requests import DATASET, WITH_BODY, Caller, classes_of, errors
from components.serving.gateway.route import GatewayRoute
from components.serving.gateway.schemas import (
    Accepted,
    Correction,
    CorrectionAnswer,
    Corrections,
    CorrectionsAnswer,
    Label,
    Labels,
)
from components.shared.contracts.annotation import Box, ScoredBox, check_inside
from components.shared.contracts.api_key import ApiKey
from components.shared.contracts.events import EventData, FrameLabelled, PredictionCorrected
from components.shared.contracts.record import make
from components.shared.traffic.http_errors import HttpError

router = APIRouter(route_class=GatewayRoute, tags=["labels"])

FRAMES = "SELECT sha256, width, height FROM silver.frames WHERE dataset = %s AND sha256 = ANY(%s)"
ANSWERS = """
SELECT DISTINCT ON (request_id) request_id, sha256, model, width, height, boxes, EXISTS (
    SELECT FROM silver.frames AS kept
    WHERE kept.dataset = made.dataset AND kept.sha256 = made.sha256) AS kept
FROM silver.predictions AS made WHERE dataset = %s AND request_id = ANY(%s)
ORDER BY request_id, sequence DESC
"""


@router.post(
    "/v1/datasets/{dataset}/labels",
    status_code=202,
    responses=errors(*WITH_BODY),
    summary="Label stored frames",
)
async def post_labels(
    request: Request,
    dataset: DATASET,
    key: Caller,
    classes: Annotated[tuple[str, ...], Depends(classes_of)],
    body: Labels,
) -> Accepted:
    """Store labels, all or none; of several of one frame the latest counts."""
    database: Database = request.app.state.database
    asked = [label.sha256 for label in body.labels]
    rows = await run_in_threadpool(database.select, FRAMES, (dataset, asked))
    frames = {row["sha256"]: row for row in rows}
    now = datetime.now(UTC)
    events = [_labelled(dataset, label, frames, classes, key, now) for label in body.labels]
    await _publish(request, key, now, events)
    return Accepted(accepted=len(events))


@router.post(
    "/v1/datasets/{dataset}/corrections",
    status_code=202,
    responses=errors(*WITH_BODY),
    summary="Correct answers, or accept them as right",
)
async def post_corrections(
    request: Request,
    dataset: DATASET,
    key: Caller,
    classes: Annotated[tuple[str, ...], Depends(classes_of)],
    body: Corrections,
) -> CorrectionsAnswer:
    """Store corrections, all or none; each is the label of its frame in the next snapshot."""
    asked = [correction.request_id for correction in body.corrections]
    database: Database = request.app.state.database
    rows = await run_in_threadpool(database.select, ANSWERS, (dataset, asked))
    answers = {row["request_id"]: row for row in rows}
    now = datetime.now(UTC)
    events = await run_in_threadpool(
        lambda: [_corrected(dataset, one, answers, classes, key, now) for one in body.corrections]
    )
    await _publish(request, key, now, events)
    return CorrectionsAnswer(
        corrections=[
            CorrectionAnswer(
                request_id=event.request_id, sha256=event.sha256, faults=event.faults,
                frame_kept=answers[event.request_id]["kept"],
            )
            for event in events
        ]
    )  # fmt: skip


async def _publish(
    request: Request, key: ApiKey, now: datetime, events: Sequence[EventData]
) -> None:
    outbox: Outbox = request.app.state.outbox
    await run_in_threadpool(outbox.publish, f"/gateway/{key.key_id}", now, list(events))


def _labelled(
    dataset: str,
    label: Label,
    frames: Mapping[str, Mapping[str, Any]],
    classes: Sequence[str],
    key: ApiKey,
    now: datetime,
) -> FrameLabelled:
    frame = frames.get(label.sha256)
    if frame is None:
        raise HttpError(404, f"there is no frame {label.sha256} in {dataset}; it may come in soon")
    _check(label.boxes, frame, classes, f"frame {label.sha256[:12]}")
    return make(
        FrameLabelled, FrameLabelled.TYPE, dataset=dataset, sha256=label.sha256,
        width=frame["width"], height=frame["height"], boxes=label.boxes, labelled_by=key.name,
        tool=label.tool, labelled_at=label.labelled_at or now,
    )  # fmt: skip


def _corrected(
    dataset: str,
    correction: Correction,
    answers: Mapping[str, Mapping[str, Any]],
    classes: Sequence[str],
    key: ApiKey,
    now: datetime,
) -> PredictionCorrected:
    answer = answers.get(correction.request_id)
    if answer is None:
        told = f"there is no answer {correction.request_id[:80]!r} in {dataset}"
        raise HttpError(404, f"{told}; it may come in soon")
    _check(correction.boxes, answer, classes, f"answer {correction.request_id[:80]}")
    faults = correction.faults
    if faults is None:
        answered = [ScoredBox.model_validate(box) for box in answer["boxes"]]
        faults = faults_of(answered, correction.boxes)
    return make(
        PredictionCorrected, PredictionCorrected.TYPE, dataset=dataset, sha256=answer["sha256"],
        request_id=correction.request_id, model=answer["model"], width=answer["width"],
        height=answer["height"], faults=faults, boxes=correction.boxes, corrected_by=key.name,
        corrected_at=now,
    )  # fmt: skip


def _check(
    boxes: Sequence[Box], size: Mapping[str, Any], classes: Sequence[str], name: str
) -> None:
    check_inside(boxes, size["width"], size["height"], name)
    for number, box in enumerate(boxes):
        if box.label not in classes:
            known = ", ".join(classes)
            raise HttpError(422, f"{name}, box {number}: no class {box.label!r}, expected {known}")
