"""What a rollout's end says of trying again, and what is left of the alias."""

import pytest

from components.promotion.deploy_model.latency_recheck import InconclusiveLatencyError
from components.shared.contracts.errors import OutageError


@pytest.fixture
def two(bench):
    """Digests of a champion and of a challenger that lost what it sees."""
    old = bench.register()
    bench.deploy(old)
    return old, bench.register(shift=14, against=old)


def challenger(bench):
    found = bench.registry.alias(bench.dataset, "challenger")
    return found.model if found else None


def raising(cause):
    def raises(*_):
        raise cause

    return raises


def test_a_verdict_says_which_model_lost_the_alias_and_how_to_try_it_again(bench, two):
    _, blind = two

    rollout = bench.roll_out("challenger", run="run-1")
    again = bench.roll_out(blind[:12], run="run-2")

    assert rollout.sentence.endswith(
        f"{blind[:12]} is no longer the challenger; to try again, deploy model {blind[:12]}"
    )
    assert challenger(bench) is None
    assert again.observations


def test_a_candidate_that_is_held_back_by_load_stays_the_challenger(bench, two, monkeypatch):
    old, blind = two
    slow = InconclusiveLatencyError("at 5 %: latency 106 ms (95th percentile), in two measurements")
    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "start", raising(slow))
        rollout = bench.roll_out("challenger", run="run-1")
    again = bench.roll_out("challenger", run="run-1")

    assert rollout.failed
    assert (
        f"{blind[:12]} not promoted under load, champion {old[:12]} stays in service: at 5 %"
        in rollout.sentence
    )
    assert rollout.sentence.endswith("no verdict on the model, try again")
    assert again.observations


def test_an_outage_leaves_the_alias_and_the_same_run_tries_again(bench, two, monkeypatch):
    _, blind = two
    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "start", raising(OutageError("no pod is admitted: forbidden")))
        with pytest.raises(OutageError, match="no pod is admitted"):
            bench.roll_out("challenger", run="run-1")
    entry = bench.registry.history(bench.dataset)[-1]

    assert challenger(bench) == blind
    assert f"{blind[:12]} not promoted, " in entry.detail["reason"]
    assert entry.detail["reason"].endswith("no pod is admitted: forbidden; no verdict on the model")
    assert bench.roll_out("challenger", run="run-1").observations


def test_a_trial_that_cannot_be_ended_is_told_with_what_serves_which_share(bench, two, monkeypatch):
    away = OutageError("KServe does not follow: 95 % of the requests go to a and 5 % to b")
    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "start", raising(OutageError("its webhook does not answer")))
        patch.setattr(bench.target, "remove_candidate", raising(away))
        with pytest.raises(
            OutageError, match=r"not promoted.*webhook.*not removed: KServe does not follow"
        ):
            bench.roll_out("challenger")

    assert "95 % of the requests" in bench.registry.history(bench.dataset)[-1].detail["reason"]


def test_a_trial_that_was_not_ended_after_a_verdict_is_ended_by_the_same_run_again(
    bench, two, monkeypatch
):
    old, blind = two
    with monkeypatch.context() as patch:
        patch.setattr(
            bench.target, "remove_candidate", raising(OutageError("KServe does not follow"))
        )
        with pytest.raises(
            OutageError, match=r"rolled back.*the candidate is not removed: KServe does not"
        ):
            bench.roll_out("challenger", run="run-1")
    left = bench.trial
    again = bench.roll_out("challenger", run="run-1")

    assert left[1] == blind
    assert again.failed
    assert not again.observations
    assert bench.trial == (None, None, None)
    assert bench.state == (old, old, old)


def test_a_trial_that_was_not_ended_after_too_slow_answers_is_an_outage(bench, two, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(bench.target, "start", raising(InconclusiveLatencyError("latency 106 ms")))
        patch.setattr(
            bench.target, "remove_candidate", raising(OutageError("KServe does not follow"))
        )
        with pytest.raises(OutageError, match=r"under load.*the candidate is not removed"):
            bench.roll_out("challenger", run="run-1")

    assert bench.roll_out("challenger", run="run-1").observations
