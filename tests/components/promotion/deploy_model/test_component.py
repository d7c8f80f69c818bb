from contextlib import closing

import pytest
from kfp import dsl

from components.promotion.deploy_model.component import deploy_model
from components.promotion.deploy_model.targets import ADDRESSES
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.registry import Registry


@pytest.fixture
def page(tmp_path):
    return dsl.HTML(uri=str(tmp_path / "page.html"))


@pytest.fixture
def model(database, object_store, front_door, tiny_package, monkeypatch):
    """The digest of a registered challenger of the dataset `by-hand`."""
    package = tiny_package(dataset="by-hand")
    model = package.verify().digest
    uri = Objects(object_store).put_folder(f"models/{model}/package", package.root)
    with closing(connect(database)) as connection:
        Registry(connection).register("by-hand", model, uri, "0" * 64, {}, {}, "a test")
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    monkeypatch.setenv("MODEL_ROOT", str(front_door.package_store.root))
    for variable, address in zip(ADDRESSES, front_door.addresses, strict=True):
        monkeypatch.setenv(variable, address)
    return model


def test_the_wrapper_runs_by_hand(model, page, capsys):
    served = deploy_model.python_func("by-hand", model, page)

    assert served == model
    assert (
        f"model {model[:12]} is in service: 3 golden images answered correctly"
        in capsys.readouterr().out
    )
    with open(page.path) as written:
        assert f"<title>Rollout of version 1 of by-hand ({model[:12]})</title>" in written.read()


def test_a_task_that_is_tried_again_knows_which_model_its_alias_meant(model, page, capsys):
    deploy_model.python_func("by-hand", "challenger", page, run="run-1")

    served = deploy_model.python_func("by-hand", "challenger", page, run="run-1")

    assert served == model
    assert capsys.readouterr().out.endswith(f"model {model[:12]} is in service already\n")
