from types import SimpleNamespace

import httpx
import pytest

from components.deploy_model.kserve.reach import Reach, trouble
from components.deploy_model.target import Unreachable

SERVICE = {"metadata": {"name": "cars"}, "spec": {}}


class OneService:
    """A cluster in which one service is there, with an address or without."""

    namespace = "here"

    def __init__(self, cluster_ip):
        port = SimpleNamespace(port=80, target_port=8080)
        self.found = SimpleNamespace(spec=SimpleNamespace(ports=[port], cluster_ip=cluster_ip))

    def service(self, name):
        return self.found if name == "cars-b-predictor" else None


def pod(uid="1", ip="10.0.0.1", ready="True", restarts=0, waiting=None, ended=None):
    state = SimpleNamespace(waiting=waiting)
    container = SimpleNamespace(
        name="kserve-container", restart_count=restarts, state=state,
        last_state=SimpleNamespace(terminated=ended),
    )  # fmt: skip
    status = SimpleNamespace(
        conditions=[SimpleNamespace(type="Ready", status=ready)], pod_ip=ip,
        container_statuses=[container], init_container_statuses=None,
    )  # fmt: skip
    return SimpleNamespace(
        status=status, metadata=SimpleNamespace(uid=uid, deletion_timestamp=None)
    )


@pytest.mark.parametrize(("cluster_ip", "port"), [("None", 8080), ("10.1.2.3", 80)])
def test_a_headless_service_is_asked_at_the_port_of_its_pods(cluster_ip, port):
    reach = Reach(OneService(cluster_ip), "Standard", httpx.Client())

    assert reach.url(SERVICE, {"name": "b"}, "candidate") == (
        f"http://cars-b-predictor.here.svc:{port}"
    )


def test_a_side_without_a_service_is_unreachable():
    with pytest.raises(Unreachable, match="no service cars-predictor"):
        Reach(OneService("None"), "Standard", httpx.Client()).url(SERVICE, {}, "stable")


@pytest.mark.parametrize(
    ("tags", "side", "host"),
    [
        (["latest", "prev"], "candidate", "latest-cars-predictor"),
        (["latest", "prev"], "stable", "prev-cars-predictor"),
        (["latest"], "stable", "cars-predictor"),
    ],
)
def test_knatives_revisions_are_asked_by_their_tags(tags, side, host):
    targets = [{"tag": tag, "percent": 50} for tag in tags]
    status = {"components": {"predictor": {"traffic": targets}}}
    reach = Reach(OneService("None"), "Knative", httpx.Client())

    assert reach.url(SERVICE | {"status": status}, {}, side) == f"http://{host}.here.svc"


def test_a_tally_only_grows_when_pods_restart_or_go():
    met = {"10.0.0.1": 5, "10.0.0.2": 7}

    def answer(request):
        number = met[request.url.host]
        labels = f'dataset="toys",side="{"a" * 12}",outcome="ok"'
        return httpx.Response(200, text=f"car_detector_requests_total{{{labels}}} {number}\n")

    reach = Reach(
        OneService("None"), "Standard", httpx.Client(transport=httpx.MockTransport(answer))
    )
    both = reach.tally([pod("1"), pod("2", "10.0.0.2")], "toys", "a" * 64)
    met["10.0.0.1"] = 1
    after = reach.tally([pod("1", restarts=1)], "toys", "a" * 64)

    assert (both.requests, after.requests) == (12, 13)
    assert reach.tally([], "toys", "b" * 64).requests == 0


def test_a_pod_that_cannot_come_up_says_why_in_its_last_words():
    ended = SimpleNamespace(
        exit_code=2, message="a log\ntoys is not served: no signature", reason=""
    )
    words = trouble([pod(ready="False", restarts=1, ended=ended)])

    assert words == "kserve-container ended with 2: a log toys is not served: no signature"


def test_an_image_that_is_not_there_is_trouble():
    waiting = SimpleNamespace(reason="ImagePullBackOff", message="no such image")

    assert "ImagePullBackOff: no such image" in trouble([pod(ready="False", waiting=waiting)])


def test_a_pod_that_only_takes_its_time_is_no_trouble():
    waiting = SimpleNamespace(reason="ContainerCreating", message="")

    assert trouble([pod(ready="False", waiting=waiting)]) is None
