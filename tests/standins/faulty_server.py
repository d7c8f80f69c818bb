"""The real detector server with one fault added: `faulty_server FAULT OPTIONS...`.

Everything but the fault is `components serve_detector`, with its own options. FAULT_AFTER
says how many clients' requests are answered well before the fault shows (our own probes
are no clients'), and FAULT_MARK names a file that is written when it shows first.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

from components.serving.serve_detector.service import main

SLOW_S = 1.2
SHIFT = 0.6  # of a box's width


class Fault:
    """ASGI middleware with one fault.

    Args:
        app: The server.
        kind: A method of this class.
    """

    def __init__(self, app, kind):
        self._app, self._misbehave = app, getattr(self, kind)
        self._after = int(os.environ.get("FAULT_AFTER", 0))
        self._mark = Path(os.environ["FAULT_MARK"])
        self._clients = 0

    async def __call__(self, scope, receive, send):
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(("/v1/detect/", "/v2/repository/")):
            await self._app(scope, receive, send)
            return
        client = path.startswith("/v1/") and (b"x-log", b"no") not in scope["headers"]
        self._clients += client
        if self._clients < self._after:
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        if not await self._misbehave(scope, body, send, client):
            await self._app(scope, _replayed(body), send)

    def _shows(self):
        if not self._mark.exists():
            self._mark.write_text(str(time.time()))

    async def errors(self, scope, body, send, client):
        """Answer 500 to every picture."""
        if scope["path"].startswith("/v1/"):
            self._shows()
            await _answer(send, 500, {"error": "broken"})
            return True
        return False

    async def slow(self, scope, body, send, client):
        """Answer every picture late."""
        if scope["path"].startswith("/v1/"):
            self._shows()
            await asyncio.sleep(SLOW_S)
        return False

    async def crash(self, scope, body, send, client):
        """Die in the middle of a picture."""
        if scope["path"].startswith("/v1/"):
            self._shows()
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    async def lies(self, scope, body, send, client):
        """Shift every box, but not on golden pictures."""
        if scope["path"].startswith("/v1/") and body not in _golden():
            self._shows()
            await self._app(scope, _replayed(body), _changed(send, _shifted))
            return True
        return False

    async def blinds(self, scope, body, send, client):
        """Find nothing for clients, and everything for who only probes."""
        if client:
            self._shows()
            await self._app(scope, _replayed(body), _changed(send, _emptied))
            return True
        return False

    async def never(self, scope, body, send, client):
        """Never finish to load."""
        if scope["path"].endswith("/load"):
            self._shows()
            await asyncio.sleep(3600)
        return False

    async def pretends(self, scope, body, send, client):
        """Say that a package is loaded, and load none."""
        if scope["path"].endswith("/load"):
            self._shows()
            await _answer(send, 200, {"name": scope["path"].split("/")[-2], "load": True})
            return True
        return False


def _golden():
    files = Path(os.environ["MODEL_ROOT"]).glob("*/*/golden/*.jpg")
    return {file.read_bytes() for file in files}


async def _body(receive):
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _replayed(body):
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive():
        return next(messages, {"type": "http.disconnect"})

    return receive


async def _answer(send, status, content):
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(content).encode()})


def _changed(send, change):
    """Return a `send` that changes a JSON answer before it goes out."""
    start = {}

    async def wait(message):
        if message["type"] == "http.response.start":
            start.update(message)
            return
        body = json.dumps(change(json.loads(message["body"]))).encode()
        kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await send({**start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
        await send({**message, "body": body})

    return wait


def _shifted(answer):
    for box in answer.get("boxes", ()):
        by = SHIFT * (box["x_max"] - box["x_min"])
        box["x_min"], box["x_max"] = box["x_min"] + by, box["x_max"] + by
    return answer


def _emptied(answer):
    return {**answer, "boxes": []}


if __name__ == "__main__":
    main(sys.argv[2:], wrap=lambda app: Fault(app, sys.argv[1]))
