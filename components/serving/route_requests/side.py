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
    """What a client asks, as every server is asked it.

    Attributes:
        method: Of HTTP.
        path: Of a route, with nothing of the client's but the name of a dataset.
        headers: Those that servers read, byte for byte: they need not be ASCII.
        body: As it came.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    body: bytes


class _Inferred(BaseModel):
    """What the door reads of an Open Inference answer."""

    model_version: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered, or that it did not.

    Attributes:
        status: Of HTTP; 502 or 504 if there was no answer.
        content: The body.
        headers: Those that go on to the client.
        seconds: How long it took.
    """

    status: int
    content: bytes
    headers: Mapping[str, str]
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether the server is to blame."""
        return self.status >= 500

    def response(self) -> Response:
        """Return it as what the client gets."""
        return Response(self.content, self.status, dict(self.headers))

    def answer(self) -> DetectAnswer | None:
        """Return the boxes in it, or None if these are none."""
        try:
            return DetectAnswer.model_validate_json(self.content) if self.status == 200 else None
        except ValidationError:
            return None

    def inferred_by(self) -> str | None:
        """Return the model that made the tensors in it, or None if these are none."""
        size = self.headers.get(TENSORS_AFTER, "")
        described = self.content[: int(size)] if size.isdecimal() else self.content
        try:
            return _Inferred.model_validate_json(described).model_version
        except ValidationError:
            return None


class Side:
    """A server, asked over connections that are kept.

    Args:
        url: Where it listens.
        seconds: How long an answer may take.
        attempts: How often it is asked while connections break.
    """

    def __init__(self, url: str, seconds: float, attempts: int) -> None:
        self.url = url.rstrip("/")
        self._seconds = seconds
        self._attempts = attempts
        self._client = httpx.AsyncClient(
            base_url=self.url, timeout=seconds, limits=LIMITS, trust_env=False
        )

    async def ask(self, question: Question) -> Reply:
        """Return the reply; who does not answer, or nothing that can be read, has failed."""
        started = perf_counter()
        for attempt in range(1, self._attempts + 1):
            try:
                async with asyncio.timeout(self._seconds):
                    status, content, headers = await self._send(question)
                break
            except (httpx.TimeoutException, TimeoutError):
                status, content, headers = 504, *_told("does not answer in time")
                break
            except (httpx.RequestError, httpx.InvalidURL):
                status, content, headers = 502, *_told("does not answer")
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
        """Let go of the connections."""
        await self._client.aclose()


def _told(what: str) -> tuple[bytes, dict[str, str]]:
    return f'{{"error":"the server {what}"}}'.encode(), {"content-type": "application/json"}
