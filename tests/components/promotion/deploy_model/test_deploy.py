import shutil

import pytest

from components.promotion.deploy_model.packages import registered
from components.promotion.deploy_model.rollout import RolledBackError
from components.shared.contracts.model import PackageLayout
from components.shared.inference.package_store import TrafficLease
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


def test_a_model_that_was_sent_back_has_not_served(bench):
    old = bench.register()
    blind = bench.register(shift=14, against=old)
    bench.deploy(old)
    bench.roll_out(blind)

    assert not bench.registry.has_served(bench.registry.named(bench.dataset, blind))


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


def test_a_half_copied_package_is_fetched_again(bench):
    model = bench.register()
    folder = bench.door.package_store.package(bench.dataset, model)
    bench.objects.get_folder(f"models/{model}/package", folder)
    shutil.rmtree(folder / "golden")

    held = bench.target.fetch_package(bench.dataset, model, registered(bench.objects, model))

    assert PackageLayout(held).verify().digest == model
