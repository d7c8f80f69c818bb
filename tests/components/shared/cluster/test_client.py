"""A cluster is asked over HTTP, and what it answers is told in a sentence."""

import json

import pytest
from kubernetes import client

from components.shared.cluster.client import Cluster, ClusterError, ConflictError, Kind
from tests.standins.http_server import HttpServer, QuietHandler

KIND = Kind("kubeflow.org", "v1", "tfjobs")
NAMED = {"metadata": {"name": "a"}}


class Server:
    """Stands in for an API server: answers what it was told, and remembers what was asked."""

    def __init__(self):
        self.answers, self.asked = [], []
        server = self

        class Handler(QuietHandler):
            def answer(self):
                body = self.read_body()
                server.asked.append((self.command, self.path, json.loads(body or "null")))
                status, said = server.answers.pop(0)
                said = said.encode() if isinstance(said, str) else json.dumps(said).encode()
                self.send(status, said)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        http = HttpServer(Handler)
        self.url, self.end = http.url, http.stop


@pytest.fixture
def server():
    running = Server()
    yield running
    running.end()


@pytest.fixture
def cluster(server):
    settings = client.Configuration(host=server.url)
    settings.retries = False
    with client.ApiClient(settings) as api:
        yield Cluster(api, "cars")


def test_what_is_not_there_is_none(server, cluster):
    server.answers = [(404, {})]

    assert cluster.get(KIND, "a") is None


def test_what_is_there_already_is_a_conflict(server, cluster):
    server.answers = [(409, {"message": "there is one"})]

    with pytest.raises(ConflictError, match="tfjobs a: the API server says 409") as conflict:
        cluster.create(KIND, NAMED)
    assert conflict.value.status == 409


def test_a_missing_right_is_told_with_what_was_asked(server, cluster):
    server.answers = [(403, {"message": "car-launcher cannot list pods"})]

    with pytest.raises(
        ClusterError, match=r"pods x=y: the API server says 403: .*cannot list pods"
    ) as error:
        cluster.pods("x=y")
    assert error.value.status == 403


def test_a_server_that_is_away_is_told_without_a_traceback(server, cluster):
    server.end()

    with pytest.raises(ClusterError, match="tfjobs a: no API server answers") as error:
        cluster.get(KIND, "a")
    assert error.value.status is None


@pytest.mark.parametrize(("last", "policy"), [(False, "Background"), (True, "Foreground")])
def test_an_object_may_be_removed_last(server, cluster, last, policy):
    server.answers = [(200, {})]

    cluster.delete(KIND, "a", last=last)

    assert f"propagationPolicy={policy}" in server.asked[0][1]


def test_removing_what_is_gone_is_no_error(server, cluster):
    server.answers = [(404, {})]

    cluster.delete(KIND, "a")

    assert server.asked[0][0] == "DELETE"


def test_a_log_comes_line_by_line_with_its_last_words(server, cluster):
    server.answers = [(200, "one\ntwo\nlast words")]

    assert list(cluster.log("pod", "node")) == ["one", "two", "last words"]


def test_a_log_may_be_gone_with_its_pod(server, cluster):
    server.answers = [(404, {})]

    assert cluster.tail_log("pod", "node", 5) == ""


def test_a_cluster_says_which_kinds_it_serves(server, cluster):
    resources = {"resources": [{"name": "tfjobs", "namespaced": True, "kind": "TFJob",
                                "singularName": "", "verbs": []}]}  # fmt: skip
    listed = {"groupVersion": "kubeflow.org/v1", **resources}
    server.answers = [(200, listed), (404, {})]

    assert [cluster.serves(KIND), cluster.serves(KIND)] == [True, False]


def test_without_a_cluster_it_is_said_what_was_expected(monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    with pytest.raises(ClusterError, match="expected KUBECONFIG, or a pod with account car-launch"):
        Cluster.connect("car-launcher")
