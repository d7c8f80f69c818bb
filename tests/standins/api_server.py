"""A stand-in for the Kubernetes API server: custom resources of one namespace, in memory.

Objects have a `resourceVersion` that a replacement must know, and a `generation` that follows
the spec; a dry run changes nothing. Nothing is validated, pruned or completed, and there are
no pods and no services.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubernetes import client

KINDS = ("inferenceservices", "httproutes", "services")  # that it knows, in every group


class ApiServer:
    """Answers while it is entered.

    Attributes:
        objects: What is stored, by name.
        asked: The paths that were asked for.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []

    def answer(self, verb: str, path: str, dry: bool, body: Any) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        name = path.rpartition("/")[2]
        if path.startswith("/apis/") and path.count("/") == 3:
            return 200, {"groupVersion": path[6:], "resources": [kind(each) for each in KINDS]}
        if path.endswith(("/pods", "/services")):
            return 200, {"items": []}
        if verb == "POST":
            return self._stored(body["metadata"]["name"], body, dry)
        found = self.objects.get(name)
        if found is None:
            return 404, {"message": f"there is no {name}"}
        if verb == "DELETE":
            return 200, self.objects.pop(name)
        if verb == "PUT":
            if body["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
                return 409, {"message": "the object has been modified"}
            return self._stored(name, body, dry)
        return 200, found

    def _stored(self, name: str, body: Any, dry: bool) -> tuple[int, dict[str, Any]]:
        stored, before = deepcopy(body), self.objects.get(name, {"metadata": {}})
        version = int(before["metadata"].get("resourceVersion", 0)) + 1
        changed = before.get("spec") != body["spec"]
        generation = before["metadata"].get("generation", 0) + changed
        stored["metadata"] |= {"resourceVersion": str(version), "generation": generation}
        if not dry:
            self.objects[name] = stored
        return 200, stored

    @contextmanager
    def client(self) -> Iterator[client.ApiClient]:
        """Listen, and lend a client."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                asked = urlsplit(self.path)
                said = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                dry = "dryRun" in parse_qs(asked.query)
                status, body = server.answer(
                    self.command, asked.path, dry, json.loads(said or "null")
                )
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=http.serve_forever, daemon=True).start()
        settings = client.Configuration(host=f"http://127.0.0.1:{http.server_port}")
        settings.retries = False
        try:
            with client.ApiClient(settings) as api:
                yield api
        finally:
            http.shutdown()
            http.server_close()


def kind(plural: str) -> dict[str, Any]:
    """Return a kind as discovery tells it."""
    return {
        "name": plural, "singularName": "", "namespaced": True, "kind": plural, "verbs": ["get"],
    }  # fmt: skip
