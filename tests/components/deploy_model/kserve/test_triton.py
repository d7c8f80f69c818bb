"""Tensors by the Open Inference Protocol: our own server speaks it as Triton does."""

import httpx
import pytest

from components.contracts.model import PackageLayout
from components.contracts.policy import RolloutPolicy
from components.contracts.refusal import Refusal
from components.deploy_model.kserve.predictor import PredictorSettings
from components.deploy_model.kserve.target import kserve_target
from components.deploy_model.kserve.triton import Triton, ask_tensors
from components.deploy_model.target import Unreachable
from components.inference.detector import Detector
from components.inference.shelf import Shelf
from components.inference.signature import SignatureError, make_keys
from components.store.objects import Objects
from tests.components.deploy_model.kserve.test_release import registered_model
from tests.components.inference.tiny import jpeg_of, scene

JPEG = jpeg_of(scene({(1, 2): 0}, columns=6, rows=5))


@pytest.fixture
def http():
    with httpx.Client(timeout=10) as client:
        yield client


def test_a_picture_asked_in_tensors_gets_the_boxes_that_the_package_gives(
    server, tiny_package, http
):
    package = tiny_package(dataset="tensors")
    server.put(package, "tensors")
    server.load("tensors")
    answer = ask_tensors(http, server.url, "stable", package, JPEG)

    assert answer.boxes == Detector.open(package.root).detect_jpeg(JPEG)
    assert answer.model == package.verify().digest
    assert (answer.width, answer.height) == (96, 80)


def test_an_answer_of_another_version_is_not_taken_for_the_expected_model(
    server, tiny_package, http
):
    server.put(tiny_package(dataset="tensors"), "tensors")
    server.load("tensors")
    other = tiny_package(dataset="tensors", shift=2)
    answer = ask_tensors(http, server.url, "stable", other, JPEG)

    assert answer.model not in (other.verify().digest, "0" * 64)


def test_a_dataset_that_is_not_served_is_nobodys_answer(server, tiny_package, http):
    assert ask_tensors(http, server.url, "stable", tiny_package(dataset="nobody"), JPEG) is None


def test_a_server_that_is_gone_is_unreachable(tiny_package, http):
    with pytest.raises(Unreachable, match="no candidate server answers"):
        ask_tensors(http, "http://127.0.0.1:9", "candidate", tiny_package(), JPEG)


def test_what_triton_cannot_check_is_checked_before_it_is_released(
    object_store, tiny_package, tmp_path, monkeypatch
):
    objects = Objects(object_store)
    model = registered_model(objects, tiny_package())
    triton = Triton(objects, PredictorSettings(image=""), Shelf(tmp_path / "shelf"))
    release = triton.release({"toys": model})
    monkeypatch.setenv("SIGNING_PUBLIC_KEY", str(make_keys(tmp_path / "keys").public))

    assert release.models == {"toys": model}
    with pytest.raises(SignatureError, match="has no signature"):
        triton.release({"toys": model})


def test_a_changed_package_is_not_released(object_store, tiny_package, tmp_path):
    objects, package = Objects(object_store), tiny_package()
    model = registered_model(objects, package)
    objects.put(f"models/{model}/package/{PackageLayout('').golden}", b"")

    with pytest.raises(Refusal, match=r"golden\.jsonl has digest"):
        Triton(objects, PredictorSettings(image=""), Shelf(tmp_path)).release({"toys": model})


def test_releases_that_no_pod_can_reach_are_refused(object_store):
    environment = {
        "DETECTOR_TARGET": "kserve", "DETECTOR_PREDICTOR": "image: a",
        "OBJECT_STORE_URL": object_store,
    }  # fmt: skip

    with pytest.raises(Refusal, match="expected one that pods can reach"):
        kserve_target(environment, RolloutPolicy())
