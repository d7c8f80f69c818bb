from contextlib import closing

from kfp import dsl

from components.deploy_model.component import deploy_model
from components.store.objects import Objects
from components.store.postgres import connect
from components.store.registry import Registry


def test_the_wrapper_runs_by_hand(
    database, object_store, front_door, tiny_package, tmp_path, monkeypatch, capsys
):
    package = tiny_package(dataset="by-hand")
    model = package.verify().digest
    objects = Objects(object_store)
    uri = objects.put_folder(f"models/{model}/package", package.root)
    with closing(connect(database)) as connection:
        Registry(connection).register("by-hand", model, uri, "0" * 64, {}, {}, "a test")
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)
    monkeypatch.setenv("MODEL_ROOT", str(front_door.shelf.root))
    monkeypatch.setenv("DETECTOR_URL", front_door.url)
    page = dsl.HTML(uri=str(tmp_path / "page.html"))

    served = deploy_model.python_func("by-hand", model, page)

    assert served == model
    assert f"serving {model[:12]}: 3 golden answers right" in capsys.readouterr().out
    assert (
        f"<title>Rollout of version 1 of by-hand ({model[:12]})</title>"
        in (tmp_path / "page.html").read_text()
    )
