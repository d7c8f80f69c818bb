"""A request that is not answered is told why, in a sentence and a status."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from components.contracts.refusal import Refusal
from components.traffic.metrics import DECLINED

UNPROCESSABLE = 422


class Declined(Refusal):
    """A refusal with an HTTP status of its own; every other refusal is a 422."""

    def __init__(
        self, status: int, sentence: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Keep status and headers beside the sentence."""
        super().__init__(sentence)
        self.status = status
        self.headers = headers


async def answer_refusal(_: Request, refusal: Exception) -> Response:
    """Return a refusal as KServe returns its own errors."""
    status = refusal.status if isinstance(refusal, Declined) else UNPROCESSABLE
    headers = refusal.headers if isinstance(refusal, Declined) else None
    DECLINED.labels(status=status).inc()
    return JSONResponse({"error": str(refusal)}, status, headers)
