"""Class of all routes: authorizes a request before its body is read, and repeats kept answers."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from components.serving.gateway.access import ACCESS, IDEMPOTENT
from components.serving.gateway.authorize import Authorizer
from components.serving.gateway.idempotency import answer_once

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GatewayRoute(APIRoute):
    """A route that the table `ACCESS` opens to some roles.

    Raises:
        KeyError: If the table has no row for it.
    """

    def get_route_handler(self) -> Handler:
        """Return the handler of FastAPI, behind the checks."""
        answer = super().get_route_handler()
        (method,) = self.methods or {"GET"}
        roles = ACCESS[method, self.path]
        once = (method, self.path) in IDEMPOTENT

        async def handler(request: Request) -> Response:
            authorizer: Authorizer = request.app.state.authorizer
            key = await authorizer.authorize(request, roles)
            request.state.key = key
            if once:
                return await answer_once(request.app.state.database, key, request, answer)
            return await answer(request)

        return handler
