"""Send one JPEG to a detector server over HTTP, with retries while it answers 503."""

import time

import httpx

from components.promotion.deploy_model.target import ServerUnreachableError
from components.shared.contracts.errors import JobError
from components.shared.contracts.model import DetectAnswer

DETECT_TIMEOUT_S = 5.0  # for one picture, waiting included
BUSY, MISSING = 503, 404


def detect_on_server(
    http: httpx.Client, url: str, who: str, dataset: str, jpeg: bytes, seconds: float
) -> DetectAnswer | None:
    """Return what a server answers about a JPEG, or None if it has no package for it.

    Args:
        http: HTTP client.
        url: Address of the server.
        who: Name of the server in messages.
        dataset: Name of the dataset.
        jpeg: The picture.
        seconds: Timeout in seconds, retries included.

    Raises:
        JobError: If the server declines, stays busy, or its answer cannot be parsed.
        ServerUnreachableError: If the server does not answer.
    """
    headers = {"X-Log": "no", "Content-Type": "image/jpeg"}
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = http.post(f"{url}/v1/detect/{dataset}", content=jpeg, headers=headers)
        except httpx.HTTPError as cause:
            raise ServerUnreachableError(f"no {who} server answers at {url}: {cause}") from cause
        if answer.status_code != BUSY or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    if answer.status_code == MISSING:
        return None
    if answer.is_error:
        raise JobError(f"the {who} server refuses an image: {reason(answer)}")
    try:
        return DetectAnswer.model_validate_json(answer.content)
    except ValueError as cause:
        raise JobError(
            f"the {who} server's answer cannot be parsed: {answer.content[:80]!r}"
        ) from cause


def reason(answer: httpx.Response) -> str:
    """Return the error of a server, or its HTTP status if the body has none."""
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
