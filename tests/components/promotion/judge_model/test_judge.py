import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.promotion.judge_model.judge import judge
from tests.support.comparison_reports import DIGESTS, POLICY, model, report

TUNED, SCRATCH = "fine_tuned", "from_scratch"  # roles


def winner(*models, **options):
    return judge(report(*models, **options), POLICY).winner


@st.composite
def comparisons(draw):
    """Any comparison of any of the roles."""
    roles = draw(st.sets(st.sampled_from(sorted(DIGESTS))))
    number = st.sampled_from([-1.0, 0.0, 0.2, 0.3, 0.5, 0.505, 0.51, 0.9])
    return [
        model(
            role,
            draw(number),
            draw(number),
            latency=draw(st.sampled_from([20.0, 90.0])),
            cameras={"north": draw(number)},
        )
        for role in roles
    ]


BOXES = {"camera": {"north": 500}}


@given(comparisons(), st.randoms(use_true_random=False))
def test_the_order_of_the_models_does_not_matter(models, random):
    shuffled = random.sample(models, len(models))

    assert judge(report(*models, slice_boxes=BOXES), POLICY) == judge(
        report(*shuffled, slice_boxes=BOXES), POLICY
    )


@given(comparisons(), st.sampled_from([0.01, 0.2, 1.0]))
def test_a_winner_that_does_better_still_wins(models, gain):
    won = winner(*models, slice_boxes=BOXES)
    better = [
        model.model_copy(
            update={
                "coco": {name: min(1, value + gain) for name, value in model.coco.items()},
                "slices": {"camera": {"north": model.slices["camera"]["north"] + gain}},
                "latency_ms_p95": model.latency_ms_p95 / 2,
            }
        )
        if model.role == won
        else model
        for model in models
    ]

    assert winner(*better, slice_boxes=BOXES) == won


@given(comparisons())
def test_a_winner_is_present_fit_and_better_than_the_champion(models):
    by_role = {model.role: model for model in models}
    verdict = judge(report(*models, slice_boxes=BOXES), POLICY)

    assert verdict.reason
    if verdict.winner != "none":
        won, champion = by_role[verdict.winner], by_role.get("champion")
        assert won.coco["map50"] >= POLICY.min_map50
        assert won.latency_ms_p95 <= POLICY.max_latency_ms
        assert champion is None or won.coco["map"] > champion.coco["map"]


def test_without_a_candidate_nobody_wins_and_the_reasons_are_told():
    verdict = judge(report(model("champion")), POLICY)

    assert verdict.winner == "none"
    assert verdict.reason == (
        "there is no candidate; no fine-tuned candidate: not trained; "
        "no candidate from scratch: not trained"
    )


def test_the_first_model_above_the_floor_is_promoted():
    verdict = judge(report(model(overall=0.552, at_half=0.871)), POLICY)

    assert verdict.winner == SCRATCH
    assert verdict.reason == (
        "mAP50-95 0.552; no champion to compare with; mAP50 0.871 on 92 test images; "
        "latency 20 ms (95th percentile, at most 80 ms)"
    )


def test_the_first_model_below_the_floor_is_not():
    assert judge(report(model(at_half=0.29)), POLICY).reason == (
        "candidate from scratch: mAP50 0.290, expected at least 0.300; "
        "no fine-tuned candidate: not trained"
    )


def test_a_slow_model_is_refused_however_good_it_is():
    assert winner(model(overall=0.99, latency=81), model("champion", 0.1)) == "none"


@pytest.mark.parametrize(
    ("overall", "won"),
    [(0.59, "none"), (0.6, "none"), (0.609, "none"), (0.61, SCRATCH)],
    ids=["worse", "equal", "within noise", "by the margin"],
)
def test_a_candidate_must_win_by_the_margin(overall, won):
    assert winner(model(overall=overall), model("champion", 0.6)) == won


def test_the_comparison_is_told_in_numbers():
    verdict = judge(report(model(overall=0.552), model("champion", 0.55)), POLICY)

    assert verdict.reason == (
        "candidate from scratch: mAP50-95 0.552, champion 0.550, difference +0.002, "
        "expected at least +0.010; "
        "no fine-tuned candidate: not trained"
    )


def test_a_gain_that_may_be_luck_says_how_many_images_would_tell():
    verdict = judge(report(model(overall=0.57), model("champion", 0.55), spread=0.04), POLICY)

    assert verdict.reason == (
        "candidate from scratch: mAP50-95 0.570, champion 0.550, difference +0.020, "
        "but not significant: -0.020 to +0.060 with 95 % confidence on 92 images; "
        "about 370 images would be enough; "
        "no fine-tuned candidate: not trained"
    )


def test_of_two_better_ones_the_best_wins():
    assert winner(model(TUNED, 0.7), model(overall=0.69), model("champion", 0.6)) == TUNED
    assert winner(model(TUNED, 0.69), model(overall=0.7), model("champion", 0.6)) == SCRATCH


def test_where_the_best_is_unfit_the_other_wins():
    assert winner(model(TUNED, 0.9, latency=99), model(overall=0.7)) == SCRATCH


def test_the_champion_cannot_replace_itself():
    same = DIGESTS["champion"]
    verdict = judge(report(model(TUNED, digest=same), model("champion", 0.1)), POLICY)

    assert verdict.winner == "none"
    assert verdict.reason.startswith("fine-tuned candidate: it is the champion itself")


@pytest.mark.parametrize("role", [SCRATCH, "champion"])
@pytest.mark.parametrize("name", ["map", "map50"])
@pytest.mark.parametrize("number", [math.nan, math.inf, -1.0])
def test_numbers_that_say_nothing_promote_nobody(role, name, number):
    models = {each: model(each, 0.9 if each == SCRATCH else 0.1) for each in DIGESTS}
    broken = models[role].model_copy(update={"coco": models[role].coco | {name: number}})
    rest = models["champion" if role == SCRATCH else SCRATCH]

    assert winner(broken, rest) == "none"


def test_every_candidate_hears_its_own_objection():
    verdict = judge(report(model(TUNED, at_half=0.1), model(latency=100)), POLICY)

    assert [part.split(":")[0] for part in verdict.reason.split("; ")] == [
        "candidate from scratch",
        "fine-tuned candidate",
    ]


def test_candidates_are_told_apart_by_their_roles_alone_when_all_is_equal():
    orders = itertools.permutations([model(TUNED), model(SCRATCH)])

    assert {winner(*models) for models in orders} == {TUNED}
