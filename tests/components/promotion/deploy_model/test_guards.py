import math

import pytest

from components.promotion.deploy_model.compare import DetectionAgreement
from components.promotion.deploy_model.guards import Evidence, breaches, errors
from components.promotion.deploy_model.latency import slow
from components.shared.contracts.policy import RolloutPolicy
from components.shared.traffic.request_metrics import RequestMetrics

POLICY = RolloutPolicy()


def met(requests=100, errors=0, boxes=300, score=0.6, fast=100):
    """A tally with `fast` of 100 answers within 10 ms, the others within 100."""
    return RequestMetrics(
        requests=requests, errors=errors, boxes=boxes, scores=boxes * score,
        latencies={0.01: fast, 0.1: 100, 1.0: 100, math.inf: 100},
    )  # fmt: skip


def said(**evidence):
    evidence = Evidence(**evidence)
    found = [*errors(evidence, POLICY), *breaches(evidence, POLICY), slow(evidence, POLICY)]
    return " / ".join(sentence for sentence in found if sentence)


def alike(**changes):
    """Both find 50 boxes, the same, on 16 live pictures, and about 3 a golden picture."""
    both = {"pictures": 16, "champion": 50, "candidate": 50, "common": 50}
    live = DetectionAgreement(**both | changes, champion_scores=30, candidate_scores=30)
    return {"live": live, "golden": (4, 12, 7.2)}


def test_nothing_known_is_nothing_against_it():
    assert said() == ""


def test_the_same_as_the_champion_is_nothing_against_it():
    assert said(candidate=met(), champion=met(), probes=20, **alike()) == ""


@pytest.mark.parametrize(
    ("errors", "failed", "probes", "breach"),
    [(0, 0, 20, False), (1, 0, 20, False), (0, 1, 20, False), (1, 1, 20, True), (2, 0, 20, True),
     (0, 2, 20, True)],
)  # fmt: skip
def test_one_failed_answer_is_forgiven(errors, failed, probes, breach):
    assert bool(said(candidate=met(errors=errors), probes=probes, failed=failed)) == breach


def test_of_many_answers_a_few_may_fail():
    assert said(candidate=met(requests=1000, errors=9, boxes=0)) == ""
    assert "11 of 1000 requests failed" in said(candidate=met(requests=1000, errors=11, boxes=0))


@pytest.mark.parametrize(
    ("ours", "theirs", "breach"),
    [(40, 5, False), (60, 25, True), (60, 31, False), (1001, 900, True), (60, None, False)],
    ids=["too fast to matter", "twice as slow", "not twice", "too slow at all", "no champion"],
)
def test_latency_is_measured_by_the_champion_on_the_same_pictures(ours, theirs, breach):
    champion = [theirs] * 16 if theirs else []

    assert bool(said(latencies_ms=[ours] * 16, champion_ms=champion)) == breach


def test_one_hiccup_among_sixteen_is_none():
    assert said(latencies_ms=[10] * 15 + [900], champion_ms=[10] * 16) == ""


def test_the_latency_of_clients_counts_only_as_far_as_the_buckets_are_sure():
    surely = met(fast=0)  # all between 10 and 100 ms
    slower = RequestMetrics(
        requests=100, boxes=300, scores=180, latencies={0.1: 0, 1.0: 100, math.inf: 100}
    )

    assert said(candidate_recent=surely, champion_recent=met()) == ""
    assert "clients: latency 100 ms" in said(candidate_recent=slower, champion_recent=met())


def test_a_candidate_must_know_the_champions_boxes_again():
    assert said(**alike(common=25)) == ""
    assert "70% of the champion's 50 boxes missing" in said(**alike(common=15))


def test_few_boxes_say_nothing():
    assert said(**alike(champion=5, candidate=9, common=0)) == ""


def test_a_candidate_that_sees_where_the_champion_is_blind_is_no_worse_for_it():
    night = DetectionAgreement(
        pictures=16, champion=4, candidate=71, common=4, champion_scores=1.7, candidate_scores=36
    )

    assert said(live=night, golden=(4, 32, 19)) == ""


def test_where_the_champion_finds_nothing_few_boxes_are_enough():
    quiet = DetectionAgreement(pictures=4, candidate=10, candidate_scores=6)

    assert said(live=quiet, golden=(4, 32, 19)) == ""


def test_a_candidate_that_finds_far_more_than_anybody_is_sent_back():
    assert "12.50 boxes an image" in said(**alike(candidate=200))


@pytest.mark.parametrize(("boxes", "breach"), [(300, False), (150, False), (50, True), (750, True)])
def test_clients_must_be_answered_as_many_boxes_as_usual(boxes, breach):
    assert bool(said(candidate=met(boxes=boxes), champion=met(), golden=(4, 12, 7.2))) == breach


def test_before_enough_clients_were_answered_their_boxes_say_nothing():
    assert said(candidate=met(requests=20, boxes=0), champion=met(), golden=(4, 12, 7.2)) == ""


def test_few_clients_may_by_chance_have_sent_pictures_with_few_boxes():
    unlucky, blind = met(requests=30, boxes=10), met(requests=40, boxes=0)

    assert said(candidate=unlucky, champion=met(), golden=(4, 12, 7.2)) == ""
    assert "0.00 boxes an image" in said(candidate=blind, champion=met(), golden=(4, 12, 7.2))


@pytest.mark.parametrize(("score", "breach"), [(0.6, False), (0.9, True), (0.3, True)])
def test_scores_must_be_as_usual(score, breach):
    candidate = met(score=score)

    assert bool(said(candidate=candidate, champion=met(), golden=(4, 12, 7.2))) == breach
