"""Errors with an HTTP status, and exception handlers that answer them as JSON."""

import logging
from collections.abc import Iterable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from components.shared.contracts.refusal import Refusal
from components.shared.traffic.metrics import DECLINED

UNPROCESSABLE = 422
MAX_TOLD = 1000  # characters of an error
MAX_NAMES = 20  # of models, in one sentence

logger = logging.getLogger(__name__)


class Declined(Refusal):
    """A refusal with an HTTP status and headers; every other refusal is answered with 422."""

    def __init__(
        self, status: int, sentence: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers


def unknown_model(name: str, known: Iterable[str]) -> Declined:
    """Return a 404 for the name of a model, with the known names.

    >>> str(unknown_model("cars", ["gate", "road"]))
    "there is no model 'cars' here, expected one of: gate, road"
    >>> str(unknown_model("cars", []))
    "there is no model 'cars' here, and no other"
    """
    names = sorted(known)
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    others = f"expected one of: {', '.join(names[:MAX_NAMES])}{more}" if names else "and no other"
    return Declined(404, f"there is no model {name[:80]!r} here, {others}")


def declined(scope: Scope, refusal: Refusal) -> Response:
    """Return a refusal as JSON, as KServe answers errors; count it and log it in a line.

    Args:
        scope: ASGI scope of the request.
        refusal: The error.
    """
    status = refusal.status if isinstance(refusal, Declined) else UNPROCESSABLE
    headers = refusal.headers if isinstance(refusal, Declined) else None
    DECLINED.labels(status=status).inc()
    sentence = " ".join(str(refusal).split())
    logger.info("%s %r: %d, %s", scope["method"], scope["path"][:200], status, sentence)
    return JSONResponse({"error": str(refusal)}, status, headers)


async def answer_refusal(request: Request, refusal: Exception) -> Response:
    """Answer a request that a model, a route or a limit refuses."""
    if isinstance(refusal, HTTPException):
        path, method = request.url.path[:80], request.method
        told = f"there is nothing at {path!r}" if refusal.status_code == 404 else refusal.detail
        if refusal.status_code == 405:
            told = f"{path!r} does not take {method}, expected {(refusal.headers or {})['Allow']}"
        refusal = Declined(refusal.status_code, told, refusal.headers)
    assert isinstance(refusal, Refusal)
    return declined(request.scope, refusal)


async def answer_gone(_: Request, __: Exception) -> Response:
    """Answer a client that disconnected while it was sending."""
    return Response(status_code=400)


async def answer_failure(_: Request, failure: Exception) -> Response:
    """Answer 500 for a failure of the server; the caller logs the traceback."""
    told = f"{type(failure).__name__}: {failure}"
    return JSONResponse({"error": told[:MAX_TOLD]}, 500)


EXCEPTION_HANDLERS = {
    Exception: answer_failure,
    Refusal: answer_refusal,
    Declined: answer_refusal,
    HTTPException: answer_refusal,
    ClientDisconnect: answer_gone,
}
