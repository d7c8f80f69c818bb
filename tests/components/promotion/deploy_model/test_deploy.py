import shutil
from contextlib import closing

import pytest

from components.promotion.deploy_model.packages import registered
from components.promotion.deploy_model.rollout import RolledBackError
from components.promotion.deploy_model.server import ServerTarget
from components.promotion.deploy_model.target import ServerUnreachableError
from components.shared.contracts.errors import OutageError, UserError
from components.shared.contracts.model import PackageError, PackageLayout
from components.shared.inference.package_store import TrafficLease
from components.shared.store.postgres import connect
from components.shared.store.registry import PromotionConflictError, Registry
from tests.support.server_rollouts import JPEG


def wrong_answers(package):
    lines = package.golden.read_text().replace('"score":0.96', '"score":0.5')
    package.golden.write_text(lines)


def test_the_first_model_is_served_and_becomes_champion(bench):
    model = bench.register()

    rollout = bench.deploy(model)

    assert bench.state == (model, model, model)
    assert bench.trial == (None, None, None)
    assert rollout.sentence.startswith(
        f"model {model[:12]} is in service: 3 golden images answered correctly, "
    )


def test_a_better_model_takes_over_step_by_step_and_the_old_one_is_remembered(bench):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)

    rollout = bench.deploy(new)

    assert [look.percent for look in rollout.observations] == [0] * 4 + [5] * 4 + [100] * 4
    assert bench.state == (new, new, new)
    assert bench.trial == (None, None, None)
    assert bench.registry.alias(bench.dataset, "previous").model == old


def test_a_second_time_is_no_work(bench):
    model = bench.register()
    bench.deploy(model)
    audit = bench.audit()

    rollout = bench.deploy(model)

    assert rollout.sentence == f"model {model[:12]} is in service already"
    assert bench.audit() == audit


def test_a_package_that_does_not_answer_as_it_says_is_sent_back(bench):
    old = bench.register()
    bad = bench.register(shift=2, spoil=wrong_answers, against=old)
    bench.deploy(old)

    rollout = bench.roll_out(bad)

    with pytest.raises(
        RolledBackError, match=f"rolled back, champion {old[:12]} stays in service: .*differently"
    ):
        rollout.model()
    assert bench.state == (old, old, old)
    assert bench.trial == (None, None, None)


def test_a_model_that_lost_what_the_champion_sees_is_sent_back_and_the_audit_says_why(bench):
    old = bench.register()
    blind = bench.register(shift=14, against=old)
    bench.deploy(old)

    rollout = bench.roll_out(blind)

    entry = bench.registry.history(bench.dataset)[-1]
    assert rollout.failed
    assert bench.state == (old, old, old)
    assert (entry.action, entry.model) == ("rolled_back", blind)
    assert "boxes an image" in entry.detail["reason"] or "boxes missing" in entry.detail["reason"]
    assert [step["percent"] for step in entry.detail["steps"]] == [0]


def test_a_first_model_that_answers_otherwise_leaves_nothing_in_service(bench):
    rollout = bench.roll_out(bench.register(spoil=wrong_answers))

    assert "rolled back, no model is in service" in rollout.sentence
    assert bench.state == (None, None, None)


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
    begin = bench.target.start

    def overtaken(dataset, model):
        bench.registry.promote(dataset, theirs, first)
        begin(dataset, model)

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


def test_a_model_that_was_sent_back_has_not_served(bench):
    old = bench.register()
    blind = bench.register(shift=14, against=old)
    bench.deploy(old)
    bench.roll_out(blind)

    assert not bench.registry.has_served(bench.registry.named(bench.dataset, blind))


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


def test_a_model_that_has_served_serves_again_though_the_champion_sees_otherwise(bench):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)
    bench.deploy(new)

    rollout = bench.deploy("previous")

    assert bench.state == (old, old, old)
    assert {look.percent for look in rollout.observations} == {0, 100}
    assert bench.audit()[-1] == "restored"


def test_a_champion_whose_server_lost_it_is_put_in_service_again(bench):
    model = bench.register()
    bench.deploy(model)
    bench.target.serve(bench.dataset, None)

    rollout = bench.deploy(model)

    assert bench.state == (model, model, model)
    assert rollout.sentence == f"champion {model[:12]} is in service again"


def test_a_lease_that_nobody_renews_takes_the_candidate_out_of_the_requests(bench):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)
    version = bench.registry.named(bench.dataset, new)
    bench.target.fetch_package(bench.dataset, new, registered(bench.objects, version.model))
    bench.target.start(bench.dataset, new)
    bench.target.set_share(bench.dataset, 100)
    during = bench.door.detect(JPEG, bench.dataset).json()["model"]
    bench.door.package_store.set_traffic(
        bench.dataset, TrafficLease(percent=100, model=new, until=0)
    )

    after = bench.door.detect(JPEG, bench.dataset).json()["model"]

    assert (during, after) == (new, old)
    bench.target.remove_candidate(bench.dataset)


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


def test_a_half_copied_package_is_fetched_again(bench):
    model = bench.register()
    folder = bench.door.package_store.package(bench.dataset, model)
    bench.objects.get_folder(f"models/{model}/package", folder)
    shutil.rmtree(folder / "golden")

    held = bench.target.fetch_package(bench.dataset, model, registered(bench.objects, model))

    assert PackageLayout(held).verify().digest == model
