"""A candidate answers its share of the requests, and no client ever meets its failures."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.contracts.refusal import Refusal
from components.inference.shelf import Shelf
from components.route_requests.side import Reply, Side
from components.route_requests.turns import Turns
from components.traffic.metrics import Outcome, count

MOST_BYTES = {"/v1/detect": 10_000_000, "": 64_000_000}  # a JPEG; tensors as JSON are long
NOT_FOUND = 404


class FrontDoor:
    """Answers clients by the stable server, and by the candidate for the share lent to it.

    What the candidate fails to answer, or answers with anything but 200, the stable server
    is asked as well, and the client gets its reply.

    Args:
        shelf: Knows the shares.
        stable: Serves the packages in service.
        candidate: Serves the candidates.
    """

    def __init__(self, shelf: Shelf, stable: Side, candidate: Side) -> None:
        """Ask nobody yet."""
        self._shelf = shelf
        self._stable = stable
        self._candidate = candidate
        self._turns = Turns()
        self.app = Starlette(
            routes=[
                Route("/routes", self._routes),
                Route("/metrics", self._metrics),
                Route("/v1/detect/{dataset}", self._split, methods=["POST"]),
                Route("/v2/models/{dataset}/infer", self._split, methods=["POST"]),
                # Loading is for deployments, which speak to the servers.
                Route("/v2/repository/{rest:path}", _nothing_here, methods=["GET", "POST"]),
                Route("/{rest:path}", self._pass, methods=["GET", "POST"]),
            ],
            exception_handlers={TooLarge: _too_large, ClientDisconnect: _gone},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self._stable.close()
        await self._candidate.close()

    async def _split(self, request: Request) -> Response:
        dataset = request.path_params["dataset"]
        body = await _body(request)
        percent, model = self._lent(dataset)
        if not self._turns.candidate(dataset, percent):
            return (await self._ask_stable(dataset, request, body)).response()
        tried = await self._candidate.ask(request, body)
        if _is_answer(tried, request, model):
            _count(dataset, "candidate", "ok", tried)
            return tried.response()
        reply = await self._ask_stable(dataset, request, body)
        earned = not tried.failed and tried.status == reply.status != 200
        _count(dataset, "candidate", "refused" if earned else "error", tried)
        return reply.response()

    async def _ask_stable(self, dataset: str, request: Request, body: bytes) -> Reply:
        reply = await self._stable.ask(request, body)
        if reply.status != NOT_FOUND:  # a name that nobody knows is not counted under it
            outcome: Outcome = "error" if reply.failed else "refused"
            _count(dataset, "stable", "ok" if reply.status == 200 else outcome, reply)
        return reply

    async def _pass(self, request: Request) -> Response:
        return (await self._stable.ask(request, await _body(request))).response()

    async def _routes(self, _: Request) -> Response:
        """Say who answers: where the servers are, and the shares in force."""
        shares = {name: self._lent(name) for name in self._shelf.datasets("candidate")}
        datasets = {
            name: {"percent": percent, "candidate": model}
            for name, (percent, model) in shares.items()
        }
        sides = {"stable": self._stable.url, "candidate": self._candidate.url}
        return JSONResponse({**sides, "datasets": datasets})

    async def _metrics(self, _: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    def _lent(self, dataset: str) -> tuple[int, str]:
        """Return the percent that a candidate gets now, and which model it is."""
        try:
            share = self._shelf.share(dataset)
        except Refusal:  # no name of a dataset; the server says so
            share = None
        return (share.in_force(time.time()), share.model) if share else (0, "")


class TooLarge(Exception):  # noqa: N818 (the client is told, nobody else)
    """A body is larger than its route allows."""


async def _body(request: Request) -> bytes:
    """Return the body, counted while it comes in.

    Raises:
        TooLarge: As soon as more has come, or is announced, than the route allows.
    """
    most = next(most for path, most in MOST_BYTES.items() if request.url.path.startswith(path))
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > most:
        raise TooLarge(f"the body is too large, expected at most {most:,} bytes")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLarge(f"the body is too large, expected at most {most:,} bytes")
    return bytes(body)


def _is_answer(tried: Reply, request: Request, model: str) -> bool:
    """Say whether a candidate's reply may go to the client: 200, and boxes by this model."""
    if not request.url.path.startswith("/v1/detect"):
        return tried.status == 200
    answer = tried.answer()
    return answer is not None and answer.model == model


def _count(dataset: str, side: str, outcome: Outcome, reply: Reply) -> None:
    answer = reply.answer() if outcome == "ok" else None
    boxes = answer.boxes if answer else ()
    count(dataset, side, outcome, reply.seconds, len(boxes), sum(box.score for box in boxes))


async def _nothing_here(_: Request) -> Response:
    return JSONResponse({"error": "models are not loaded through this door"}, NOT_FOUND)


async def _too_large(_: Request, refusal: Exception) -> Response:
    return JSONResponse({"error": str(refusal)}, 413, {"Connection": "close"})


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)  # the client hung up while it was sending
