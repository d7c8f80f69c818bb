"""What counts is who is champion, whatever a server is found to serve."""

from components.promotion.deploy_model.packages import registered


def test_a_failed_trial_of_what_serves_by_mistake_leaves_the_champion_in_service(bench):
    old = bench.register()
    blind = bench.register(shift=14, against=old)
    bench.deploy(old)
    bench.target.fetch_package(bench.dataset, blind, registered(bench.objects, blind))
    bench.target.serve(bench.dataset, blind)

    rollout = bench.roll_out(blind)

    assert rollout.failed
    assert bench.state == (old, old, old)
    assert bench.trial == (None, None, None)


def test_a_champion_that_is_not_as_wanted_is_not_asked_before_it_is_mended(bench, monkeypatch):
    model = bench.register()
    bench.deploy(model)
    happened = []

    def noted(name):
        verb = getattr(bench.target, name)
        monkeypatch.setattr(
            bench.target, name, lambda *given: happened.append(name) or verb(*given)
        )

    noted("detect")
    noted("serve")
    monkeypatch.setattr(bench.target, "is_current", lambda dataset, model: False)

    rollout = bench.deploy(model)

    assert happened == ["serve"]
    assert rollout.sentence == f"champion {model[:12]} is in service again"
