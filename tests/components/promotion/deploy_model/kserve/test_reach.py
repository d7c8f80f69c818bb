from types import SimpleNamespace

import httpx
import pytest

from components.promotion.deploy_model.kserve.reach import Reach
from components.promotion.deploy_model.target import ServerUnreachableError
from tests.support.serving_pods import pod

SERVICE = {"metadata": {"name": "cars"}, "spec": {}}


class OneService:
    """A cluster in which one service is there, with an address or without."""

    namespace = "here"

    def __init__(self, cluster_ip):
        port = SimpleNamespace(port=80, target_port=8080)
        self.found = SimpleNamespace(spec=SimpleNamespace(ports=[port], cluster_ip=cluster_ip))

    def service(self, name):
        return self.found if name == "cars-b-predictor" else None


@pytest.mark.parametrize(("cluster_ip", "port"), [("None", 8080), ("10.1.2.3", 80)])
def test_a_headless_service_is_asked_at_the_port_of_its_pods(cluster_ip, port):
    reach = Reach(OneService(cluster_ip), "Standard", httpx.Client())

    assert reach.url(SERVICE, {"name": "b"}, "candidate") == (
        f"http://cars-b-predictor.here.svc:{port}"
    )


def test_a_side_without_a_service_is_unreachable():
    with pytest.raises(ServerUnreachableError, match="no service cars-predictor"):
        Reach(OneService("None"), "Standard", httpx.Client()).url(SERVICE, {}, "stable")


@pytest.mark.parametrize(
    ("tags", "track", "host"),
    [
        (["latest", "prev"], "candidate", "latest-cars-predictor"),
        (["latest", "prev"], "stable", "prev-cars-predictor"),
        (["latest"], "stable", "cars-predictor"),
    ],
)
def test_knatives_revisions_are_asked_by_their_tags(tags, track, host):
    targets = [{"tag": tag, "percent": 50} for tag in tags]
    status = {"components": {"predictor": {"traffic": targets}}}
    reach = Reach(OneService("None"), "Knative", httpx.Client())

    assert reach.url(SERVICE | {"status": status}, {}, track) == f"http://{host}.here.svc"


def test_a_tally_only_grows_when_pods_restart_or_go():
    met = {"10.0.0.1": 5, "10.0.0.2": 7}

    def answer(request):
        number = met[request.url.host]
        labels = f'dataset="toys",side="{"a" * 12}",outcome="ok"'
        return httpx.Response(200, text=f"car_detector_requests_total{{{labels}}} {number}\n")

    reach = Reach(
        OneService("None"), "Standard", httpx.Client(transport=httpx.MockTransport(answer))
    )
    both = reach.request_metrics([pod("1"), pod("2", "10.0.0.2")], "toys", "a" * 64)
    met["10.0.0.1"] = 1
    after = reach.request_metrics([pod("1", restarts=1)], "toys", "a" * 64)

    assert (both.requests, after.requests) == (12, 13)
    assert reach.request_metrics([], "toys", "b" * 64).requests == 0
