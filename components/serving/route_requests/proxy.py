"""Reverse proxy that sends a share of the requests to the canary, with fallback to the champion.

If the candidate fails a request, the stable server answers it: no client sees the failure.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.serving.route_requests.leases import Leases
from components.serving.route_requests.traffic_split import TrafficSplit
from components.shared.inference.memory import trim_memory
from components.shared.inference.package_store import DATASET, PackageStore
from components.shared.traffic.http_errors import EXCEPTION_HANDLERS, unknown_model
from components.shared.traffic.limit import MAX_BODY_BYTES, BodyLimit, by_prefix
from components.shared.traffic.metrics import Outcome, count
from components.shared.traffic.routes import OnTrial, RouteTable
from components.shared.traffic.upstream import TENSORS_AFTER, Question, Reply, Upstream

DETECT, INFER = "/v1/detect/{dataset}", "/v2/models/{dataset}/infer"
# No route loads models: deployments do that at the servers themselves.
PASSED = (
    "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models", "/v2/models/{dataset}",
    "/v2/models/{dataset}/ready",
)  # fmt: skip
REQUEST_ID = b"x-request-id"
MISSING = 404
THERE = (b"accept", b"content-type", TENSORS_AFTER.encode(), b"x-camera", b"x-log", REQUEST_ID)


class CanaryProxy:
    """Reverse proxy over the stable server and the candidate, as a Starlette application.

    If the candidate fails, or answers with anything but 200, the request is forwarded to the
    stable server as well, and the client gets that reply.

    Args:
        package_store: Holds the traffic share of each candidate.
        stable: The server of the packages in service.
        candidate: The server of the candidates.
    """

    def __init__(self, package_store: PackageStore, stable: Upstream, candidate: Upstream) -> None:
        self._package_store = package_store
        self._stable = stable
        self._candidate = candidate
        self._traffic_split = TrafficSplit()
        self._leases = Leases()
        self.app = Starlette(
            routes=[
                Route("/routes", self._routes),
                Route("/metrics", self._metrics),
                *(Route(path, partial(self._split, path), methods=["POST"])
                  for path in (DETECT, INFER)),
                *(Route(path, partial(self._pass, path)) for path in PASSED),
            ],
            exception_handlers=EXCEPTION_HANDLERS,
            middleware=[Middleware(BodyLimit, most=by_prefix(MAX_BODY_BYTES), trim=trim_memory)],
            lifespan=self._lifespan,
        )  # fmt: skip
        self.app.router.redirect_slashes = False

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self._stable.close()
        await self._candidate.close()

    async def _split(self, path: str, request: Request) -> Response:
        question, dataset = await self._question(path, request), request.path_params["dataset"]
        percent, model = self._lent(dataset)
        if not self._traffic_split.candidate(dataset, percent):
            return (await self._forward_to_stable(dataset, question)).response()
        tried = await self._candidate.forward(question)
        if _is_answer(tried, path, model):
            _count(dataset, "candidate", "ok", tried)
            return tried.response()
        reply = await self._forward_to_stable(dataset, question)
        earned = _is_clients_fault(tried, reply)
        _count(dataset, "candidate", "refused" if earned else "error", tried)
        return reply.response()

    async def _forward_to_stable(self, dataset: str, question: Question) -> Reply:
        reply = await self._stable.forward(question)
        # Each name that is counted stays: a client must not be able to invent them.
        if self._package_store.knows(dataset):
            outcome: Outcome = "error" if reply.failed else "refused"
            _count(dataset, "stable", "ok" if reply.status == 200 else outcome, reply)
        return reply

    async def _pass(self, path: str, request: Request) -> Response:
        return (await self._stable.forward(await self._question(path, request))).response()

    async def _routes(self, _: Request) -> Response:
        """Answer the traffic shares that are in force."""
        shares = {name: self._lent(name) for name in self._package_store.datasets("candidate")}
        on_trial = {
            name: OnTrial(percent=percent, candidate=model)
            for name, (percent, model) in shares.items()
        }
        return JSONResponse(RouteTable(datasets=on_trial).model_dump())

    async def _metrics(self, _: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def _question(self, path: str, request: Request) -> Question:
        """Return the request to forward; the path is built again from the route and its parameters.

        Both servers get the same request id, generated here if the client sends none.

        Raises:
            HttpError: 404, if the dataset's name is not valid; or if the body is too large.
        """
        names = request.path_params
        for name in names.values():
            if not DATASET.fullmatch(name):
                raise unknown_model(name, self._package_store.datasets())
        first = dict(reversed(request.headers.raw))  # of several by one name
        headers = {name: first[name] for name in THERE if name in first}
        headers[REQUEST_ID] = headers.get(REQUEST_ID) or uuid4().hex.encode()
        return Question(request.method, path.format(**names), headers, await request.body())

    def _lent(self, dataset: str) -> tuple[int, str]:
        """Return the percent of the requests that a candidate gets now, and its digest."""
        share = self._package_store.share(dataset)
        return self._leases.percent(dataset, share), share.model if share else ""


def _is_answer(tried: Reply, path: str, model: str) -> bool:
    """Return whether a candidate's reply may go to the client: 200, and by this model."""
    if path == INFER:
        return tried.status == 200 and tried.inferred_by() == model
    answer = tried.answer()
    return answer is not None and answer.model == model


def _is_clients_fault(tried: Reply, reply: Reply) -> bool:
    """Return whether the request itself is invalid, so that no server could answer it.

    A 404 of a stable server that has no model for the dataset yet does not show that.
    """
    if reply.status == MISSING:
        return tried.status == MISSING
    return 400 <= reply.status < 500


def _count(dataset: str, side: str, outcome: Outcome, reply: Reply) -> None:
    answer = reply.answer() if outcome == "ok" else None
    boxes = answer.boxes if answer else ()
    count(dataset, side, outcome, reply.seconds, len(boxes), sum(box.score for box in boxes))
