"""HTTP of the stand-in for Kubeflow Pipelines: requests, refusals and pages of answers."""

import json
from collections.abc import Iterable
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.standins.http_server import QuietHandler

Body = dict[str, Any]
FILTERS = ("display_name", "run_id", "recurring_run_id")  # keys of those that we send


class Refused(Exception):  # noqa: N818 (an answer of the API)
    """An answer other than 200: its status, and a sentence."""


def body_of(model: Any, data: bytes) -> Body:
    body = json.loads(data)
    if unknown := body.keys() - set(model.attribute_map.values()):
        raise Refused(400, f"unknown fields {sorted(unknown)}")
    return body


def one_of(kept: dict[str, Any], key: str) -> Any:
    if key not in kept:
        raise Refused(404, f"{key} not found")
    return kept[key]


def refuse_twice(kept: Iterable[Body], name: str) -> None:
    if any(one["display_name"] == name for one in kept):
        raise Refused(409, f"{name} already exists")


def refuse_what_is_no_literal(spec: Body, body: Body) -> None:
    """A parameter that has literals takes no other value."""
    inputs = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    for name, value in body.get("runtime_config", {}).get("parameters", {}).items():
        literals = inputs.get(name, {}).get("literals")
        if literals and value not in literals:
            raise Refused(400, f"input parameter {name} is {value!r}, not one of {literals}")


def uploaded_file(data: bytes) -> bytes:
    """Return the file of a multipart request."""
    parts = [part for part in message_from_bytes(data).walk() if not part.is_multipart()]
    (file,) = (part.get_payload(decode=True) for part in parts)
    assert isinstance(file, bytes)
    return file


def page_of(kind: str, found: list[Body], query: dict[str, str]) -> Body:
    for one in json.loads(query.get("filter") or "{}").get("predicates", []):
        if one["operation"] not in ("EQUALS", 1) or one["key"] not in FILTERS:
            raise Refused(400, f"this stand-in knows no filter {one}")
        found = [it for it in found if it.get(one["key"]) == one["stringValue"]]
    if query.get("sort_by", "").endswith("desc"):
        found = found[::-1]
    first, size = int(query.get("page_token") or 0), int(query.get("page_size") or 20)
    more = {"next_page_token": str(first + size)} if first + size < len(found) else {}
    return {kind: found[first : first + size], "total_size": len(found)} | more if found else {}


class Handler(QuietHandler):
    kubeflow: Any

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        data = self.read_body()
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
        self.send(status, text.encode(), "text/plain" if text is answer else "application/json")

    do_GET = do_POST = do_DELETE = do_PATCH = _serve  # noqa: N815 (the library's names)
