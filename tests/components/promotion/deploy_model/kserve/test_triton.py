"""Tensors by the Open Inference Protocol: our own server speaks it as Triton does."""

import httpx
import pytest

from components.promotion.deploy_model.kserve.environment import kserve_target
from components.promotion.deploy_model.kserve.predictor import triton_server
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.stream import StreamAccess
from components.promotion.deploy_model.kserve.triton import Triton, detect_on_triton
from components.promotion.deploy_model.target import ServerUnreachableError
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import PackageLayout
from components.shared.contracts.policy import RolloutPolicy
from components.shared.inference.detector import Detector
from components.shared.inference.package_store import PackageStore
from components.shared.inference.signature import SignatureError, make_keys
from components.shared.store.objects import Objects
from tests.support.kserve_releases import OLD, registered_model, release
from tests.support.tiny_packages import jpeg_of, scene

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
    answer = detect_on_triton(http, server.url, "stable", package, JPEG)

    assert answer.boxes == Detector.open(package.root).detect_jpeg(JPEG)
    assert answer.model == package.verify().digest
    assert (answer.width, answer.height) == (96, 80)


def test_an_answer_of_another_version_is_not_taken_for_the_expected_model(
    server, tiny_package, http
):
    server.put(tiny_package(dataset="tensors"), "tensors")
    server.load("tensors")
    other = tiny_package(dataset="tensors", shift=2)
    answer = detect_on_triton(http, server.url, "stable", other, JPEG)

    assert answer.model not in (other.verify().digest, "0" * 64)


def test_a_dataset_that_is_not_served_is_nobodys_answer(server, tiny_package, http):
    assert (
        detect_on_triton(http, server.url, "stable", tiny_package(dataset="nobody"), JPEG) is None
    )


def test_a_server_that_is_gone_is_unreachable(tiny_package, http):
    with pytest.raises(ServerUnreachableError, match="no candidate server answers"):
        detect_on_triton(http, "http://127.0.0.1:9", "candidate", tiny_package(), JPEG)


def test_what_triton_cannot_check_is_checked_before_it_is_released(
    object_store, tiny_package, tmp_path, monkeypatch
):
    objects = Objects(object_store)
    model = registered_model(objects, tiny_package())
    triton = Triton(objects, PredictorSettings(image=""), PackageStore(tmp_path / "shelf"))
    release = triton.release({"toys": model})
    monkeypatch.setenv("SIGNING_PUBLIC_KEY", str(make_keys(tmp_path / "keys").public))

    assert release.models == {"toys": model}
    with pytest.raises(SignatureError, match="has no signature"):
        triton.release({"toys": model})


def test_a_changed_package_is_not_released(object_store, tiny_package, tmp_path):
    objects, package = Objects(object_store), tiny_package()
    model = registered_model(objects, package)
    objects.put(f"models/{model}/package/{PackageLayout('').golden}", b"")

    with pytest.raises(UserError, match=r"golden\.jsonl has digest"):
        Triton(objects, PredictorSettings(image=""), PackageStore(tmp_path)).release(
            {"toys": model}
        )


def test_releases_that_no_pod_can_reach_are_refused(object_store):
    environment = {
        "DETECTOR_TARGET": "kserve", "DETECTOR_PREDICTOR": "{image: a, unsigned: true}",
        "OBJECT_STORE_URL": object_store,
    }  # fmt: skip

    with pytest.raises(UserError, match="expected one that pods can reach"):
        kserve_target(environment, RolloutPolicy())


@pytest.fixture
def asked_for_key(object_store, tmp_path):
    """A Triton whose settings name a public key."""
    settings = PredictorSettings(image="", public_key="car-public-key")
    return Triton(Objects(object_store), settings, PackageStore(tmp_path / "shelf"))


def test_triton_with_a_public_key_that_is_not_mounted_is_refused(
    asked_for_key, object_store, tiny_package, monkeypatch
):
    monkeypatch.delenv("SIGNING_PUBLIC_KEY", raising=False)
    model = registered_model(Objects(object_store), tiny_package())

    with pytest.raises(UserError, match="public_key is car-public-key, but there is no /var/run"):
        asked_for_key.fetch_package("toys", model)


def test_triton_with_a_public_key_serves_nothing_that_is_not_signed_for_it(
    asked_for_key, object_store, tiny_package, tmp_path, monkeypatch
):
    monkeypatch.delenv("SIGNING_PUBLIC_KEY", raising=False)
    keys, package = make_keys(tmp_path / "keys"), tiny_package()
    monkeypatch.setattr("components.promotion.deploy_model.kserve.triton.MOUNTED_KEY", keys.public)
    model = registered_model(Objects(object_store), package)

    with pytest.raises(SignatureError, match="has no signature"):
        asked_for_key.fetch_package("toys", model)
    registered_model(Objects(object_store), package, keys.private)
    assert asked_for_key.fetch_package("toys", model).name == model


def test_triton_is_refused_a_stream_that_it_would_not_log_to(object_store, tmp_path):
    settings = PredictorSettings(image="", stream=StreamAccess(protocol="SSL"))

    with pytest.raises(UserError, match="leave stream out of DETECTOR_PREDICTOR"):
        Triton(Objects(object_store), settings, PackageStore(tmp_path))


def test_triton_runs_as_a_user_though_its_image_is_of_root():
    settings = PredictorSettings(image="")
    context = triton_server(settings, release("1", toys=OLD))["model"]["securityContext"]

    assert (context["runAsNonRoot"], context["runAsUser"]) == (True, 1000)
