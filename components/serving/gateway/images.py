"""Read the images of a request: one JPEG, the files of a multipart form, or lines of NDJSON."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from fastapi import Query, Request
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from components.serving.gateway.requests import whole_body
from components.serving.gateway.schemas import MAX_ITEMS, FrameLine
from components.shared.contracts.record import Record, complaint, make
from components.shared.contracts.values import Instant, Key, Text
from components.shared.traffic.http_errors import HttpError
from components.shared.traffic.limit import MAX_BODY_BYTES

JPEG, FORM, NDJSON = "image/jpeg", "multipart/form-data", "application/x-ndjson"
MAX_JPEG_BYTES = MAX_BODY_BYTES["/v1/detect"]  # the detector takes no larger one

# For OpenAPI, which cannot read them from the routes' signatures.
JPEG_BODY = {JPEG: {"schema": {"type": "string", "format": "binary"}}}
FORM_BODY = {
    FORM: {
        "schema": {
            "type": "object",
            "properties": {
                "images": {"type": "array", "items": {"type": "string", "format": "binary"}}
            },
            "required": ["images"],
        }
    }
}
NDJSON_BODY = {NDJSON: {"schema": {"type": "string"}}}


class Described(Record):
    """Where and when an image was taken, as the query of a request says."""

    camera: Key | None = None
    captured_at: Instant | None = None
    source_name: Text | None = None
    group: Key | None = None


class SentImage(NamedTuple):
    """One image of a request, with what its sender says of it."""

    jpeg: bytes
    camera: str
    captured_at: datetime
    source_name: str
    group: str


def described(
    camera: Annotated[Key | None, Query(description="default: the name of the API key")] = None,
    captured_at: Annotated[Instant | None, Query(description="RFC 3339; default: now")] = None,
    source_name: Annotated[Text | None, Query(description="such as a file's name")] = None,
    group: Annotated[Key | None, Query(description="frames that must share a split")] = None,
) -> Described:
    """Return where and when the images of a request were taken, as its query says.

    Args:
        camera: Camera that took them.
        captured_at: When they were taken.
        source_name: What the sender calls them.
        group: Frames that must share a split.
    """
    return make(
        Described, "query", camera=camera, captured_at=captured_at, source_name=source_name,
        group=group,
    )  # fmt: skip


def media_type(request: Request, known: Sequence[str]) -> str:
    """Return the media type of a body.

    Args:
        request: The request.
        known: Media types that the route reads.

    Raises:
        HttpError: 415, if it is none of them.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in known:
        raise HttpError(415, f"the body is {kind[:80]!r}, expected one of: {', '.join(known)}")
    return kind


async def sent_images(request: Request, query: Described) -> list[SentImage]:
    """Return the images of a request, at most 1,000.

    Args:
        request: Its API key is known.
        query: What holds for all images that say nothing themselves.

    Raises:
        HttpError: 400, 413, 415 or 422, if the body cannot be read.
    """
    kind = media_type(request, (JPEG, FORM, NDJSON))
    if kind == JPEG:
        return [_sent(request, query, Described(), await whole_body(request), "")]
    if kind == FORM:
        files = await form_images(request)
        return [_sent(request, query, Described(), jpeg, name) for name, jpeg in files]
    return [
        _sent(request, query, Described(**line.model_dump(exclude={"jpeg"})), line.jpeg, "")
        for line in _lines(await whole_body(request))
    ]


async def form_images(request: Request) -> list[tuple[str, bytes]]:
    """Return name and bytes of each file of a multipart form.

    Raises:
        HttpError: 422, if there is no file, or one is too large.
    """
    async with request.form(max_files=MAX_ITEMS, max_fields=MAX_ITEMS) as form:
        files = [
            (part.filename or f"image {number}", await part.read())
            for number, (_, part) in enumerate(form.multi_items())
            if isinstance(part, UploadFile)
        ]
    if not files:
        raise HttpError(422, "the form has no file, expected at least one JPEG")
    for name, jpeg in files:
        check_size(name, jpeg)
    return files


def check_size(name: str, jpeg: bytes) -> None:
    """Refuse an image that the detector would refuse for its size.

    Args:
        name: What its sender calls it.
        jpeg: The file.

    Raises:
        HttpError: 413, if it is too large.
    """
    if len(jpeg) > MAX_JPEG_BYTES:
        raise HttpError(
            413, f"{name[:80]!r} has {len(jpeg):,} bytes, expected at most {MAX_JPEG_BYTES:,}"
        )


def _lines(body: bytes) -> list[FrameLine]:
    lines = [line for line in body.splitlines() if line.strip()]
    if not 1 <= len(lines) <= MAX_ITEMS:
        raise HttpError(422, f"the body has {len(lines):,} lines, expected 1 to {MAX_ITEMS:,}")
    read = []
    for number, line in enumerate(lines, 1):
        try:
            read.append(FrameLine.model_validate_json(line))
        except ValidationError as cause:
            raise HttpError(422, f"line {number}: {complaint(cause)[:300]}") from cause
    return read


def _sent(
    request: Request, query: Described, own: Described, jpeg: bytes, file_name: str
) -> SentImage:
    camera = own.camera or query.camera or request.state.key.name
    at = own.captured_at or query.captured_at or datetime.now(UTC)
    name = own.source_name or query.source_name or file_name or f"{camera}/{at.isoformat()}.jpg"
    check_size(name, jpeg)
    group = own.group or query.group or f"{camera}/{at.astimezone(UTC):%Y-%m-%d}"
    return SentImage(jpeg, camera, at, name, group)
