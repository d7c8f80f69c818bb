"""A model that is refused before a rollout, and servers that cannot take one."""

from contextlib import closing

import pytest

from components.promotion.deploy_model.server import ServerTarget
from components.promotion.deploy_model.target import ServerUnreachableError
from components.shared.contracts.errors import OutageError, UserError
from components.shared.contracts.model import PackageError
from components.shared.store.postgres import connect
from components.shared.store.registry import PromotionConflictError, Registry


def test_a_stored_package_with_a_changed_byte_never_reaches_the_server(bench):
    old = bench.register()
    bad = bench.register(shift=2, against=old)
    bench.deploy(old)
    key = f"models/{bad}/package/model.onnx"
    bench.objects.put(key, bench.objects.get(key)[:-1] + b"\0")

    with pytest.raises(PackageError, match=r"model.onnx has digest"):
        bench.roll_out(bad)

    assert bench.state == (old, old, old)


def test_who_was_slower_than_another_gives_way(bench, monkeypatch):
    first = bench.register()
    mine, theirs = (bench.register(shift=shift, against=first) for shift in (1, 2))
    bench.deploy(first)
    start = bench.target.start

    def overtaken(dataset, model):
        bench.registry.promote(dataset, theirs, first)
        start(dataset, model)

    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "start", overtaken)
        with pytest.raises(PromotionConflictError):
            bench.roll_out(mine)

    assert bench.registry.champion(bench.dataset).model == theirs
    assert bench.trial == (None, None, None)


def test_of_two_rollouts_of_a_dataset_at_once_the_second_is_refused(bench, database):
    model = bench.register()

    with closing(connect(database)) as connection:
        Registry(connection).claim(bench.dataset)
        with pytest.raises(OutageError, match="is being rolled out: wait for its end"):
            bench.roll_out(model)
        # A server forgets a session some time after it was closed.
        connection.cursor().execute("SELECT pg_advisory_unlock_all()")

    bench.deploy(model)


def test_a_model_that_is_not_registered_is_refused(bench):
    with pytest.raises(UserError, match="has no model '000000000000'"):
        bench.roll_out("0" * 64)


def test_a_model_that_was_compared_with_another_champion_is_refused(bench):
    first = bench.register()
    bench.deploy(first)
    mine, theirs = (bench.register(shift=shift, against=first) for shift in (1, 2))
    bench.deploy(theirs)

    with pytest.raises(
        PromotionConflictError, match=f"compared with {first[:12]}, but {theirs[:12]}"
    ):
        bench.roll_out(mine)

    assert bench.state == (theirs, theirs, theirs)


def test_a_front_door_that_is_not_there_is_named_and_the_same_run_tries_the_model_again(bench):
    nowhere = ServerTarget(*["http://127.0.0.1:9"] * 3, bench.door.package_store, ready_seconds=0)
    model = bench.register()

    with pytest.raises(
        ServerUnreachableError, match=r"no reverse proxy answers at http://127\.0\.0\.1:9"
    ):
        bench.roll_out("challenger", nowhere, run="run-1")
    bench.deploy("challenger", run="run-1")

    assert bench.state == (model, model, model)


def test_a_server_without_a_front_door_is_refused(bench, server):
    with (
        closing(ServerTarget(*[server.url] * 3, server.package_store, ready_seconds=1)) as bare,
        pytest.raises(UserError, match="is no reverse proxy with two servers behind it"),
    ):
        bare.set_share(bench.dataset, 0)


def test_a_front_door_that_looks_at_another_folder_is_refused(bench, tmp_path, monkeypatch):
    monkeypatch.setattr("components.promotion.deploy_model.server.FOLLOW_S", 0)
    elsewhere = type(bench.door.package_store)(tmp_path / "elsewhere")

    with (
        closing(ServerTarget(*bench.door.addresses, elsewhere, ready_seconds=1)) as target,
        pytest.raises(
            OutageError, match="gives the candidate 0 %, expected 5 %: is its MODEL_ROOT"
        ),
    ):
        target.set_share(bench.dataset, 5)
