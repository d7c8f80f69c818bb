"""One upstream server of the reverse proxy: forwards body and headers, with timeout and retry."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import httpx
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from components.shared.contracts.model import DetectAnswer

TENSORS_AFTER = "inference-header-content-length"  # bytes of JSON, then come tensors
BACK = ("content-type", TENSORS_AFTER, "retry-after")
AGAIN_SECONDS = 0.05  # after a connection that broke before the answer

# A server ends a connection that nobody uses for 5 s; ours are let go before.
LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=64, keepalive_expiry=2)


@dataclass(frozen=True, slots=True)
class Question:
    """A request of a client, as it is forwarded to the servers.

    Attributes:
        method: HTTP method.
        path: Path of the route; only the name of the dataset comes from the client.
        headers: The headers that servers read, as bytes: they need not be ASCII.
        body: The body, unchanged.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    body: bytes


class _Inferred(BaseModel):
    """The part of an Open Inference answer that the proxy reads."""

    model_version: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a server, or its failure.

    Attributes:
        status: HTTP status; 502 or 504 if there was no answer.
        content: The body.
        headers: The headers that are passed on to the client.
        seconds: Time until the answer, in seconds.
    """

    status: int
    content: bytes
    headers: Mapping[str, str]
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether the server failed (5xx)."""
        return self.status >= 500

    def response(self) -> Response:
        """Return the HTTP response for the client."""
        return Response(self.content, self.status, dict(self.headers))

    def answer(self) -> DetectAnswer | None:
        """Return the parsed boxes, or None if the body has none."""
        try:
            return DetectAnswer.model_validate_json(self.content) if self.status == 200 else None
        except ValidationError:
            return None

    def inferred_by(self) -> str | None:
        """Return the digest of the model that made the tensors, or None if the body has none."""
        size = self.headers.get(TENSORS_AFTER, "")
        described = self.content[: int(size)] if size.isdecimal() else self.content
        try:
            return _Inferred.model_validate_json(described).model_version
        except ValidationError:
            return None


class Upstream:
    """An upstream server behind the proxy, over kept-alive connections.

    Args:
        url: Address of the server.
        seconds: Timeout of an answer, in seconds.
        attempts: Maximum number of attempts when connections break.
    """

    def __init__(self, url: str, seconds: float, attempts: int) -> None:
        self.url = url.rstrip("/")
        self._seconds = seconds
        self._attempts = attempts
        self._client = httpx.AsyncClient(
            base_url=self.url, timeout=seconds, limits=LIMITS, trust_env=False
        )

    async def forward(self, question: Question) -> Reply:
        """Forward a request and return the reply: 502 or 504 if there is no readable answer."""
        started = perf_counter()
        for attempt in range(1, self._attempts + 1):
            try:
                async with asyncio.timeout(self._seconds):
                    status, content, headers = await self._send(question)
                break
            except (httpx.TimeoutException, TimeoutError):
                status, content, headers = 504, *_error_body("does not answer in time")
                break
            except (httpx.RequestError, httpx.InvalidURL):
                status, content, headers = 502, *_error_body("does not answer")
                if attempt < self._attempts:
                    await asyncio.sleep(AGAIN_SECONDS)
        return Reply(status, content, headers, perf_counter() - started)

    async def _send(self, question: Question) -> tuple[int, bytes, dict[str, str]]:
        reply = await self._client.request(
            question.method, question.path, content=question.body, headers=question.headers
        )
        reply.headers.encoding = "latin-1"  # in which they go on
        kept = {name: reply.headers[name] for name in BACK if name in reply.headers}
        return reply.status_code, reply.content, kept

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _error_body(what: str) -> tuple[bytes, dict[str, str]]:
    return f'{{"error":"the server {what}"}}'.encode(), {"content-type": "application/json"}
