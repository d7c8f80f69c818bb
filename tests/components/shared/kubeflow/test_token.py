import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from components.shared.contracts.errors import OutageError
from components.shared.kubeflow import token as module
from components.shared.kubeflow.token import AccountToken


class _TokenRequests(BaseHTTPRequestHandler):
    """A stand-in for the one path of Kubernetes that makes tokens, as its API documents it."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers["Authorization"], asked["spec"]))
        end = datetime.now(UTC) + timedelta(seconds=asked["spec"]["expirationSeconds"])
        made = {"token": f"made-{len(self.server.asked)}", "expirationTimestamp": end.isoformat()}
        answer = json.dumps({"spec": asked["spec"], "status": made}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """Say nothing on stderr."""


@pytest.fixture
def kubernetes():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _TokenRequests)
    server.asked, server.status = [], 201
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def mounted(tmp_path):
    (tmp_path / "token").write_text("own\n")
    (tmp_path / "namespace").write_text("ours")
    return tmp_path


def shown(credentials):
    config = SimpleNamespace(api_key={})
    credentials.refresh_api_key_hook(config)
    return config.api_key["authorization"]


def test_kubernetes_is_asked_for_a_token_that_kubeflow_takes(kubernetes, mounted):
    assert shown(AccountToken(mounted, kubernetes.url)) == "made-1"
    assert kubernetes.asked == [
        (
            "/api/v1/namespaces/ours/serviceaccounts/car-trigger/token",
            "Bearer own",
            {"audiences": ["pipelines.kubeflow.org"], "expirationSeconds": 3600},
        )
    ]


def test_it_is_asked_again_only_before_the_token_ends(kubernetes, mounted, monkeypatch):
    credentials = AccountToken(mounted, kubernetes.url)
    assert [shown(credentials) for _ in range(3)] == ["made-1"] * 3

    later = datetime.now(UTC) + timedelta(minutes=56)
    monkeypatch.setattr(module, "datetime", SimpleNamespace(now=lambda zone: later))
    assert shown(credentials) == "made-2"


def test_where_the_account_may_not_ask_its_own_token_is_shown(kubernetes, mounted):
    kubernetes.status = 403

    assert shown(AccountToken(mounted, kubernetes.url)) == "own"


def test_outside_of_a_cluster_its_own_token_is_shown(mounted, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    assert shown(AccountToken(mounted)) == "own"


def test_a_kubernetes_that_fails_is_a_refusal(kubernetes, mounted):
    kubernetes.status = 500

    with pytest.raises(OutageError, match="Kubernetes gives car-trigger no token: Internal"):
        shown(AccountToken(mounted, kubernetes.url))


def test_a_kubernetes_that_is_not_there_is_a_refusal(mounted):
    with pytest.raises(OutageError, match="Kubernetes gives car-trigger no token: "):
        shown(AccountToken(mounted, "http://127.0.0.1:1"))
