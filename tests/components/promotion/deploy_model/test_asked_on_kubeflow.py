"""What the proof on Kubeflow asks of a served model, asked of real servers."""

import json

import pytest
from kfp import dsl

from components.promotion.deploy_model.component import deploy_model
from components.promotion.deploy_model.targets import ADDRESSES
from components.shared.store.objects import Objects, digest_bytes, frame_key
from components.shared.store.postgres import connect
from components.shared.store.registry import Registry
from tests.proofs.kubeflow_graphs import ask_detector, retire_dataset
from tests.support.tiny_packages import jpeg_of, scene

FRAME = (
    "INSERT INTO silver.frames (dataset, sha256, uri, width, height, size_bytes, camera, "
    "captured_at, source_name, group_name, event_id) "
    "VALUES ('prove-1', %s, 'u', 64, 48, 1, 'c', now(), 's', 'g', %s)"
)


@pytest.fixture
def registered(database, object_store, front_door, tiny_package, monkeypatch):
    """The registry with one model of `prove-1`, and a frame in the lake."""
    package = tiny_package(dataset="prove-1")
    model, jpeg = package.verify().digest, jpeg_of(scene({(1, 2): 0}))
    objects, connection = Objects(object_store), connect(database)
    uri = objects.put_folder(f"models/{model}/package", package.root)
    objects.put(frame_key(digest_bytes(jpeg)), jpeg)
    with connection, connection.cursor() as cursor:
        cursor.execute(FRAME, (digest_bytes(jpeg), "e"))
    for name, value in {
        "DATABASE_URL": database, "OBJECT_STORE_URL": object_store,
        "MODEL_ROOT": str(front_door.package_store.root),
        **dict(zip(ADDRESSES, front_door.addresses, strict=True)),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    registry = Registry(connection)
    registry.register("prove-1", model, uri, "0" * 64, {}, {}, "a test")
    yield registry
    connection.close()


def test_the_champion_answers_until_its_dataset_is_retired(registered, tmp_path):
    deploy_model.python_func("prove-1", "challenger", dsl.HTML(uri=str(tmp_path / "page.html")))
    figures = json.loads(ask_detector.python_func("prove-1"))

    assert figures["frames"] == 1
    assert figures["model"] == registered.champion("prove-1").model[:12]

    retire_dataset.python_func("prove-1")

    assert registered.champion("prove-1") is None
    with pytest.raises(RuntimeError, match="None answers for prove-1"):
        ask_detector.python_func("prove-1")


def test_a_model_that_nobody_promoted_is_no_answer(registered):
    with pytest.raises(RuntimeError, match="answers for prove-1"):
        ask_detector.python_func("prove-1")
