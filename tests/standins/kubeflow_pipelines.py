"""A stand-in for the API server of Kubeflow Pipelines, for machines that cannot run one.

Nothing runs in it and nothing fires. It is written from the published v2beta1 API (the paths
and models of `kfp_server_api`), keeps all in memory, answers over real HTTP, refuses unknown
fields, and neither needs unique names nor has verbs where Kubeflow does not.
"""

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import kfp_server_api
import yaml

V2 = "/apis/v2beta1"
LOG = "/apis/v1alpha1/runs/[^/]+/nodes/([^/]+)/log"  # unpublished: the server's own source
START = datetime(2026, 1, 1, tzinfo=UTC)
Body = dict[str, Any]


class Refused(Exception):  # noqa: N818 (an answer of the API)
    """An answer other than 200: its status, and a sentence."""


class KubeflowPipelines:
    """One host, from `with` until its end.

    It keeps verb and path of every `requests`, and their `tokens`. With a `token` it wants to
    be shown that. `before` and `after` are called with verb and path of a request before it is
    done and before it is answered. `logs` are those of nodes by their names.
    """

    def __init__(self, token: str = "", multi_user: bool = False) -> None:
        self.experiments: dict[str, Body] = {}
        self.pipelines: dict[str, Body] = {}
        self.versions: dict[str, Body] = {}
        self.runs: dict[str, Body] = {}
        self.recurringRuns: dict[str, Body] = {}  # the published API writes it so
        self.logs: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self.tokens: list[str] = []
        self.token, self.multi_user = token, multi_user
        self.before = self.after = lambda verb, path: None
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        handler = type("Bound", (_Handler,), {"kubeflow": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def changes(self) -> list[tuple[str, str]]:
        """Return the requests so far that were more than questions."""
        return [(verb, path) for verb, path in self.requests if verb != "GET"]

    def finish(self, run: str, state: str, tasks: list[Body] = (), error: str = "") -> None:
        """Let a run end, as the controller of a real host would."""
        told = {"state": state, "run_details": {"task_details": list(tasks)}}
        failed = {"error": {"code": 13, "message": error}} if error else {}
        _one(self.runs, run).update(told | failed)

    def answer(self, verb: str, path: str, query: dict[str, str], data: bytes) -> Any:
        for wanted, pattern, act in ROUTES:
            if verb == wanted and (match := re.fullmatch(pattern, path)):
                with self._lock:
                    return act(self, *match.groups(), query=query, data=data)
        raise Refused(404, f"no {verb} {path}")

    def create(self, kind: str, data: bytes) -> Body:
        """Make an experiment or a pipeline, whose names are unique."""
        body = _body(getattr(kfp_server_api, f"V2beta1{kind[:-1].title()}"), data)
        _refuse_twice(getattr(self, kind).values(), body["display_name"])
        return self._keep(getattr(self, kind), kind[:-1], body)

    def upload_version(self, query: Any, data: bytes) -> Body:
        pipeline = _one(self.pipelines, query["pipelineid"])["pipeline_id"]
        _refuse_twice(self.of(pipeline), query["name"])
        (file,) = (part.get_payload(decode=True) for part in message_from_bytes(data).get_payload())
        spec = next(yaml.load_all(file, yaml.CSafeLoader))
        told = {"display_name": query["name"], "description": query.get("description", "")}
        body = {"pipeline_id": pipeline, "pipeline_spec": spec, **told}
        return self._keep(self.versions, "pipeline_version", body)

    def create_run(self, query: Any, data: bytes) -> Body:
        body = _body(kfp_server_api.V2beta1Run, data)
        self._refer(body)
        return self._keep(self.runs, "run", body | {"state": "PENDING"})

    def drop(self, kind: str, key: str) -> Body:
        """Forget one of a kind; a pipeline only when it has no more versions."""
        _one(getattr(self, kind), key)
        if kind == "pipelines" and self.of(key):
            raise Refused(400, "a pipeline that has versions is not deleted")
        del getattr(self, kind)[key]
        return {}

    def create_recurring(self, query: Any, data: bytes) -> Body:
        body = _body(kfp_server_api.V2beta1RecurringRun, data)
        self._refer(body)
        if not 1 <= int(body.get("max_concurrency", 0)) <= 10:
            raise Refused(400, "The max concurrency of the recurring run is out of range")
        cron = body["trigger"]["cron_schedule"]["cron"]
        if not cron.startswith("@") and len(cron.split()) not in (5, 6):
            raise Refused(400, "Schedule cron is not a supported format")
        body["status"] = f"{body['mode']}D"
        return self._keep(self.recurringRuns, "recurring_run", body)

    def switch_recurring(self, run: str, verb: str, query: Any, data: bytes) -> Body:
        _one(self.recurringRuns, run).update(mode=verb.upper(), status=f"{verb.upper()}D")
        return {}

    def _refer(self, body: Body) -> None:
        _one(self.experiments, body["experiment_id"])
        if "pipeline_spec" not in body:
            _one(self.versions, body["pipeline_version_reference"]["pipeline_version_id"])

    def list_versions(self, pipeline: str, query: Any, data: bytes) -> Body:
        return _page("pipeline_versions", self.of(pipeline), query)

    def of(self, pipeline: str) -> list[Body]:
        """Return the versions of a pipeline."""
        return [one for one in self.versions.values() if one["pipeline_id"] == pipeline]

    def page(self, kind: str, query: dict[str, str]) -> Body:
        """Return one page of what is kept of a kind, in a namespace if it has one."""
        wanted = query.get("namespace", "")
        if self.multi_user and not (wanted or query.get("experiment_id") or kind == "pipelines"):
            raise Refused(400, "In multi-user mode, namespace must be given")
        kept: dict[str, Body] = getattr(self, kind)
        found = [one for one in kept.values() if one.get("namespace", wanted) == wanted]
        return _page(kind, found, query)

    def _keep(self, kept: dict[str, Body], kind: str, body: Body) -> Body:
        number = next(self._numbers)
        key, created = f"{kind}-{number:04}", START + timedelta(seconds=number)
        kept[key] = body | {f"{kind}_id": key, "created_at": created.isoformat()}
        return kept[key]


ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", f"{V2}/healthz", lambda it, **_: {"multi_user": it.multi_user}),
    ("POST", f"{V2}/experiments", lambda it, data, **_: it.create("experiments", data)),
    ("GET", f"{V2}/experiments", lambda it, query, **_: it.page("experiments", query)),
    ("POST", f"{V2}/pipelines", lambda it, data, **_: it.create("pipelines", data)),
    ("GET", f"{V2}/pipelines", lambda it, query, **_: it.page("pipelines", query)),
    ("DELETE", f"{V2}/pipelines/([^/]+)", lambda it, key, **_: it.drop("pipelines", key)),
    ("POST", f"{V2}/pipelines/upload_version", KubeflowPipelines.upload_version),
    ("GET", f"{V2}/pipelines/([^/]+)/versions", KubeflowPipelines.list_versions),
    (
        "DELETE",
        f"{V2}/pipelines/[^/]+/versions/([^/]+)",
        lambda it, key, **_: it.drop("versions", key),
    ),
    ("POST", f"{V2}/runs", KubeflowPipelines.create_run),
    ("GET", f"{V2}/runs", lambda it, query, **_: it.page("runs", query)),
    ("GET", f"{V2}/runs/([^/:]+)", lambda it, run, **_: _one(it.runs, run)),
    ("DELETE", f"{V2}/runs/([^/:]+)", lambda it, key, **_: it.drop("runs", key)),
    ("POST", f"{V2}/runs/([^/:]+):terminate", lambda it, run, **_: it.finish(run, "CANCELED")),
    ("GET", LOG, lambda it, node, **_: _one(it.logs, node)),
    ("POST", f"{V2}/recurringruns", KubeflowPipelines.create_recurring),
    ("GET", f"{V2}/recurringruns", lambda it, query, **_: it.page("recurringRuns", query)),
    ("DELETE", f"{V2}/recurringruns/([^/:]+)", lambda it, key, **_: it.drop("recurringRuns", key)),
    ("POST", f"{V2}/recurringruns/([^/:]+):(enable|disable)", KubeflowPipelines.switch_recurring),
)


def _body(model: Any, data: bytes) -> Body:
    body = json.loads(data)
    if unknown := body.keys() - set(model.attribute_map.values()):
        raise Refused(400, f"unknown fields {sorted(unknown)}")
    return body


def _one(kept: dict[str, Any], key: str) -> Any:
    if key not in kept:
        raise Refused(404, f"{key} not found")
    return kept[key]


def _refuse_twice(kept: Iterable[Body], name: str) -> None:
    if any(one["display_name"] == name for one in kept):
        raise Refused(409, f"{name} already exists")


def _page(kind: str, found: list[Body], query: dict[str, str]) -> Body:
    for one in json.loads(query.get("filter") or "{}").get("predicates", []):
        if one["operation"] not in ("EQUALS", 1) or one["key"] != "display_name":
            raise Refused(400, f"this stand-in knows no filter {one}")
        found = [it for it in found if it["display_name"] == one["stringValue"]]
    if query.get("sort_by", "").endswith("desc"):
        found = found[::-1]
    first, size = int(query.get("page_token") or 0), int(query.get("page_size") or 20)
    more = {"next_page_token": str(first + size)} if first + size < len(found) else {}
    return {kind: found[first : first + size], "total_size": len(found)} | more if found else {}


class _Handler(BaseHTTPRequestHandler):
    kubeflow: KubeflowPipelines

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get_content_maintype() == "multipart":
            data = f"Content-Type: {self.headers['Content-Type']}\n\n".encode() + data
        shown = self.headers.get("Authorization", "")
        self.kubeflow.requests.append((self.command, parts.path))
        self.kubeflow.tokens.append(shown)
        try:
            self.kubeflow.before(self.command, parts.path)
            if self.kubeflow.token and shown != f"Bearer {self.kubeflow.token}":
                raise Refused(401, "Request header error: there is no user identity header")
            answer = self.kubeflow.answer(self.command, parts.path, query, data)
            self.kubeflow.after(self.command, parts.path)
            self._send(200, answer)
        except Refused as refused:
            status, message = refused.args
            self._send(status, {"code": 3, "message": message, "details": []})
        except ConnectionError:
            self.close_connection = True  # whoever asked is gone, or to believe so

    def _send(self, status: int, answer: Any) -> None:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if text is answer else "application/json")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing on stderr."""

    do_GET = do_POST = do_DELETE = do_PATCH = _serve  # noqa: N815 (the library's names)
