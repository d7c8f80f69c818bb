"""A stand-in for the Kubernetes API server: objects of one namespace, in memory.

Objects have a `resourceVersion` that a replacement must know, and a `generation` that follows
the spec; a dry run changes nothing; the status is written apart. A webhook may refuse what is
written. An object of another kind is refused; nothing else is validated, nothing is completed,
and no controller looks after anything.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubernetes import client

from tests.standins.http_server import QuietHandler, listening
from tests.standins.labels import selected

Body = dict[str, Any]
Answer = tuple[int, Body]
# That it knows, in every group.
KINDS = {
    "inferenceservices": "InferenceService", "httproutes": "HTTPRoute", "services": "Service",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler", "deployments": "Deployment",
}  # fmt: skip


class ApiServer:
    """Answers while it is entered.

    Attributes:
        objects: What is stored, by kind and name.
        asked: The paths that were asked for.
        webhook: Returns why an object of a kind is not stored, or None.
        prune: Takes off what a kind's schema does not know.
        forbidden: Kinds that the caller may not read.
    """

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Body] = {}
        self.asked: list[str] = []
        self.webhook: Callable[[str, Body], Answer | None] = lambda kind, body: None
        self.prune: Callable[[str, Body], Body] = lambda kind, body: body
        self.forbidden: set[str] = set()
        self._lock = threading.RLock()
        self._version = 0

    def answer(self, verb: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        self.asked.append(path)
        if path.startswith("/apis/") and path.count("/") == 3:
            return 200, {"groupVersion": path[6:], "resources": [kind(each) for each in KINDS]}
        parts = path.split("/")[3 if path.startswith("/api/") else 4 :]
        if parts[0] == "namespaces" and len(parts) > 2:
            parts = parts[2:]
        plural, name, *rest = [*parts, "", ""][:3]
        if plural in self.forbidden:
            return status(403, f"{plural} is forbidden")
        with self._lock:
            if not name:
                return self._listed(plural, query) if verb == "GET" else self._made(
                    plural, body, "dryRun" in query
                )  # fmt: skip
            return self._one(verb, plural, name, any(rest), query, body)

    def _listed(self, plural: str, query: dict[str, list[str]]) -> Answer:
        found = [each for (kind_of, _), each in self.objects.items() if kind_of == plural]
        items = selected(found, query.get("labelSelector", [""])[0])
        return 200, {"items": items, "metadata": {}}

    def _made(self, plural: str, body: Body, dry: bool) -> Answer:
        name = body["metadata"]["name"]
        if (plural, name) in self.objects:
            return status(409, f"{plural} {name} already exists")
        return self._stored(plural, name, body, dry, {"metadata": {"uid": f"uid-{name}"}})

    def _one(
        self, verb: str, plural: str, name: str, of_status: bool, query: Any, body: Any
    ) -> Answer:  # fmt: skip
        found = self.objects.get((plural, name))
        if found is None:
            return status(404, f"there is no {name}")
        if verb == "DELETE":
            return 200, self.objects.pop((plural, name))
        if verb == "PATCH":
            self.objects[plural, name] = patched(found, body)
            return 200, self.objects[plural, name]
        if verb == "PUT":
            known = body["metadata"].get("resourceVersion")
            if known not in (None, found["metadata"]["resourceVersion"]):
                return status(409, "the object has been modified")
            if of_status:
                self.objects[plural, name] = self._versioned(found | {"status": body["status"]})
                return 200, self.objects[plural, name]
            return self._stored(plural, name, body, "dryRun" in query, found)
        return 200, found

    def _stored(self, plural: str, name: str, body: Body, dry: bool, before: Body) -> Answer:
        known = KINDS.get(plural)
        if body.get("kind", known) != known:
            return status(422, f'kind: Invalid value: "{body["kind"]}": must be {known}')
        if refusal := self.webhook(plural, body):
            return refusal
        stored = self._versioned(self.prune(plural, deepcopy(body)))
        changed = before.get("spec") != stored.get("spec")
        stored["metadata"]["generation"] = before["metadata"].get("generation", 0) + changed
        stored["metadata"].setdefault("uid", before["metadata"].get("uid"))
        if "status" in before:
            stored["status"] = before["status"]
        elif plural == "pods":
            stored["status"] = {"phase": "Pending"}
        if not dry:
            self.objects[plural, name] = stored
        return 200, stored

    def _versioned(self, body: Body) -> Body:
        self._version += 1
        return body | {"metadata": body["metadata"] | {"resourceVersion": str(self._version)}}

    @contextmanager
    def client(self) -> Iterator[client.ApiClient]:
        """Listen, and lend a client."""
        with listening(handler(self)) as url:
            settings = client.Configuration(host=url)
            settings.retries = False
            with client.ApiClient(settings) as api:
                yield api


def handler(server: ApiServer) -> type[QuietHandler]:
    """Return what reads a request and writes the answer."""

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            asked = urlsplit(self.path)
            said = self.read_body()
            code, body = server.answer(
                self.command, asked.path, parse_qs(asked.query), json.loads(said or "null")
            )
            self.send(code, json.dumps(body).encode())

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_one  # noqa: N815

    return Handler


def status(code: int, message: str) -> Answer:
    """Return a refusal as the API server words it."""
    return code, {"kind": "Status", "code": code, "message": message}


def patched(found: Body, change: Body) -> Body:
    """Return an object with a merge patch applied: maps by key, everything else whole."""
    merged = deepcopy(found)
    for name, value in change.items():
        old = merged.get(name)
        if isinstance(value, dict) and isinstance(old, dict):
            value = patched(old, value)
        merged[name] = value
    return merged


def kind(plural: str) -> Body:
    """Return a kind as discovery tells it."""
    return {
        "name": plural, "singularName": "", "namespaced": True, "kind": KINDS[plural],
        "verbs": ["get"],
    }  # fmt: skip
