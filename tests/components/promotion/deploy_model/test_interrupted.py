"""A rollout that is killed, stopped or let down, and tried again, ends as one that was not."""

import itertools

import pytest

from components.promotion.deploy_model.target import PackageNotServedError, ServerUnreachableError
from components.shared.store.registry import PromotionConflictError


class Killed(BaseException):
    """What SIGKILL looks like from inside: nothing is cleaned up."""


def die(bench, patch, line):
    """Kill what happens next at its line-th call."""
    calls = itertools.count(1)

    def dying(function):
        def wrapper(*arguments, **options):
            if next(calls) == line:
                raise Killed
            return function(*arguments, **options)

        return wrapper

    for place, name in (
        (bench.objects, "get"), (bench.target, "detect"), (bench.target, "_order"),
        (bench.target, "set_share"), (bench.registry, "promote"), (bench.registry, "step_back"),
        (bench.door.package_store, "set_current"), (bench.door.package_store, "set_traffic"),
    ):  # fmt: skip
        patch.setattr(place, name, dying(getattr(place, name)))


@pytest.mark.parametrize("line", [4, 9, 10, 11, 12, 22, 28, 33, 34, 35, 36, 37, 38])
def test_killed_anywhere_and_run_again_it_ends_the_same(bench, monkeypatch, line):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)

    with monkeypatch.context() as patch:
        die(bench, patch, line)
        with pytest.raises(Killed):
            bench.roll_out(new)
    bench.deploy(new)

    assert bench.state == (new, new, new)
    assert bench.trial == (None, None, None)
    assert [version.model for version in bench.registry.versions(bench.dataset)] == [old, new]


@pytest.mark.parametrize("alias", ["previous", "challenger"])
def test_a_run_by_alias_killed_at_any_line_and_tried_again_ends_with_the_model_it_meant(
    bench, monkeypatch, alias
):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)
    bench.deploy(new)
    for line in itertools.count(1):
        if alias == "challenger":
            bench.registry.register(bench.dataset, old, "", "0" * 64, {}, {}, "again", new)
        meant = bench.registry.named(bench.dataset, alias).model
        with monkeypatch.context() as patch:
            die(bench, patch, line)
            try:
                bench.roll_out(alias, run=f"run-{line}")
            except Killed:
                died = True
            else:
                died = False
        bench.deploy(alias, run=f"run-{line}")
        assert bench.state == (meant, meant, meant)
        assert bench.trial == (None, None, None)
        if not died:
            break
        old, new = new, old

    assert line > 20


def unreachable(*_):
    raise ServerUnreachableError("the servers are gone")


@pytest.mark.parametrize("served", [False, True], ids=["a new model", "one that has served"])
def test_a_run_that_is_tried_again_leaves_the_champion_that_another_promoted_since(
    bench, monkeypatch, served
):
    old, mine, theirs = (bench.register(shift=shift) for shift in (0, 1, 2))
    bench.deploy(old)
    for model, champion in ((mine, old), (old, mine)) if served else ():
        bench.registry.promote(bench.dataset, model, champion)
    bench.registry.register(bench.dataset, mine, "", "0" * 64, {}, {}, "better", old)
    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "serve", unreachable)
        with pytest.raises(ServerUnreachableError):
            bench.roll_out(mine, run="run-1")
    bench.registry.register(bench.dataset, theirs, "", "0" * 64, {}, {}, "better", mine)
    bench.deploy(theirs, run="run-2")
    audit = bench.audit()

    with pytest.raises(
        PromotionConflictError, match=f"promoted version 2 .* but {theirs[:12]} is in"
    ):
        bench.roll_out(mine, run="run-1")

    assert bench.state == (theirs, theirs, theirs)
    assert bench.audit() == audit


def refusing(bench, model):
    """What a place does in service that refuses one model."""
    serve = bench.target.serve

    def refused(dataset, wanted):
        if wanted == model:
            raise PackageNotServedError("the stable server does not load it")
        serve(dataset, wanted)

    return refused


def test_a_model_that_the_stable_server_refuses_has_never_served_and_is_not_previous(
    bench, monkeypatch
):
    oldest = bench.register()
    old, bad = (bench.register(shift=shift, against=oldest) for shift in (1, 2))
    bench.deploy(oldest)
    bench.deploy(old)
    bench.registry.register(bench.dataset, bad, "", "0" * 64, {}, {}, "better", old)
    monkeypatch.setattr(bench.target, "serve", refusing(bench, bad))

    with pytest.raises(PackageNotServedError, match="does not load it"):
        bench.roll_out("challenger", run="run-1")
    again = bench.roll_out("challenger", run="run-1")

    assert bench.state == (old, old, old)
    assert bench.audit()[-2:] == ["promoted", "stepped_back"]
    assert not bench.registry.has_served(bench.registry.named(bench.dataset, bad))
    assert bench.registry.alias(bench.dataset, "previous").model == oldest
    assert again.failed
    assert "does not start in service" in again.sentence


def test_a_place_that_goes_down_after_the_promotion_convicts_nobody(bench, monkeypatch):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)

    def gone(*_):
        monkeypatch.setattr(bench.target, "request_metrics", unreachable)
        raise PackageNotServedError("nothing came of it")

    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "serve", gone)
        with pytest.raises(ServerUnreachableError):
            bench.roll_out("challenger", run="run-1")
    bench.deploy("challenger", run="run-1")

    assert bench.state == (new, new, new)
    assert "stepped_back" not in bench.audit()


def test_who_is_killed_while_a_model_steps_back_puts_the_champion_in_service_when_tried_again(
    bench, monkeypatch
):
    old = bench.register()
    bad = bench.register(shift=2, against=old)
    bench.deploy(old)

    def dying(dataset, model):
        bench.door.package_store.set_current(dataset, model)
        if model == old:
            raise Killed
        raise PackageNotServedError("the stable server does not load it")

    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "serve", dying)
        with pytest.raises(Killed):
            bench.roll_out(bad, run="run-1")
    bench.door.package_store.set_current(bench.dataset, bad)

    assert bench.roll_out(bad, run="run-1").failed
    assert bench.state == (old, old, old)


def test_who_is_stopped_just_after_the_promotion_puts_the_promoted_model_in_service(
    bench, monkeypatch
):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)
    promote = bench.registry.promote

    def stopped(*arguments):
        promote(*arguments)
        raise SystemExit("stopped by SIGTERM")

    monkeypatch.setattr(bench.registry, "promote", stopped)
    with pytest.raises(SystemExit, match="SIGTERM"):
        bench.roll_out(new)

    assert bench.state == (new, new, new)
    assert bench.trial == (None, None, None)
    assert bench.audit()[-1] == "promoted"


@pytest.mark.parametrize("cause", [KeyboardInterrupt, SystemExit("stopped by SIGTERM"), OSError])
def test_who_is_interrupted_puts_the_champion_back_first(bench, monkeypatch, cause):
    old = bench.register()
    new = bench.register(shift=2, against=old)
    bench.deploy(old)

    def interrupted(*_):
        raise cause

    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "set_share", interrupted)
        with pytest.raises(type(cause) if isinstance(cause, SystemExit) else cause):
            bench.roll_out(new)

    assert bench.state == (old, old, old)
    assert bench.trial == (None, None, None)
    assert bench.audit()[-1] == "rolled_back"


def test_a_run_that_is_tried_again_does_not_try_what_it_sent_back(bench):
    old = bench.register()
    blind = bench.register(shift=14, against=old)
    bench.deploy(old)
    first = bench.roll_out(blind, run="run-1")
    audit = bench.audit()

    again = bench.roll_out(blind, run="run-1")
    other = bench.roll_out(blind, run="run-2")

    assert again.sentence == first.sentence
    assert not again.observations
    assert other.observations
    assert len(bench.audit()) == len(audit) + 1
