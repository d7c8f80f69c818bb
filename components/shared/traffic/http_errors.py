"""Errors with an HTTP status, and exception handlers that answer them as JSON."""

import logging
from collections.abc import Iterable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from components.shared.contracts.errors import ApplicationError, OutageError
from components.shared.traffic.metrics import DECLINED

UNPROCESSABLE, UNAVAILABLE = 422, 503
MAX_ERROR_CHARS = 1000  # characters of an error
MAX_NAMES = 20  # of models, in one sentence

logger = logging.getLogger(__name__)


class HttpError(ApplicationError):
    """An error with an HTTP status; outages are answered with 503, other errors with 422."""

    def __init__(
        self, status: int, sentence: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers


def unknown_model(name: str, known: Iterable[str]) -> HttpError:
    """Return a 404 for the name of a model, with the known names.

    Args:
        name: Name in the request.
        known: Names of the models that are loaded.

    >>> str(unknown_model("cars", ["gate", "road"]))
    "there is no model 'cars' here, expected one of: gate, road"
    >>> str(unknown_model("cars", []))
    "there is no model 'cars' here, and no other"
    """
    names = sorted(known)
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    others = f"expected one of: {', '.join(names[:MAX_NAMES])}{more}" if names else "and no other"
    return HttpError(404, f"there is no model {name[:80]!r} here, {others}")


def error_response(scope: Scope, error: ApplicationError) -> Response:
    """Return an error as JSON, as KServe answers errors; count it and log it in a line.

    Args:
        scope: ASGI scope of the request.
        error: The error.
    """
    status = _status(error)
    headers = error.headers if isinstance(error, HttpError) else None
    DECLINED.labels(status=status).inc()
    sentence = " ".join(str(error).split())
    logger.info("%s %r: %d, %s", scope["method"], scope["path"][:200], status, sentence)
    return JSONResponse({"error": str(error)}, status, headers)


def _status(error: ApplicationError) -> int:
    if isinstance(error, HttpError):
        return error.status
    return UNAVAILABLE if isinstance(error, OutageError) else UNPROCESSABLE


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer a request that a model, a route or a limit refuses.

    Args:
        request: The request.
        error: An error of the tree, or of Starlette's router.
    """
    if isinstance(error, HTTPException):
        path, method = request.url.path[:80], request.method
        sentence = f"there is nothing at {path!r}" if error.status_code == 404 else error.detail
        if error.status_code == 405:
            sentence = f"{path!r} does not take {method}, expected {(error.headers or {})['Allow']}"
        error = HttpError(error.status_code, sentence, error.headers)
    assert isinstance(error, ApplicationError)
    return error_response(request.scope, error)


async def answer_gone(_: Request, __: Exception) -> Response:
    """Answer a client that disconnected while it was sending."""
    return Response(status_code=400)


async def answer_failure(_: Request, failure: Exception) -> Response:
    """Answer 500 for a failure of the server; the caller logs the traceback.

    Args:
        _: The request.
        failure: An error that no handler expects.
    """
    sentence = f"{type(failure).__name__}: {failure}"
    return JSONResponse({"error": sentence[:MAX_ERROR_CHARS]}, 500)


EXCEPTION_HANDLERS = {
    Exception: answer_failure,
    ApplicationError: answer_error,
    HttpError: answer_error,
    HTTPException: answer_error,
    ClientDisconnect: answer_gone,
}
