"""Thirty planted comparisons: who must win, and the word that must be in the reason."""

import math

import pytest

from components.promotion.judge_model.judge import judge
from components.promotion.judge_model.page import page
from components.shared.contracts.report import Verdict, VerdictLayout
from tests.support.comparison_reports import DIGESTS, POLICY, model, report

TUNED, SCRATCH = "fine_tuned", "from_scratch"  # roles

CHAMPION = model("champion", 0.5)
NORTH = {"slice_boxes": {"camera": {"north": 500}}}
RARE = {"slice_boxes": {"camera": {"north": 20}}}
DAMAGED = {"absent": {"champion": "model.onnx has digest 12, expected 34"}}
REFUSED = {"absent": {"from_scratch": "refused by check_model: it hangs"}}


def at(camera, role=SCRATCH, overall=0.6, hard=0):
    return model(role, overall, cameras={"north": camera}, hard=hard)


SCENARIOS = {
    # who is best
    "the fine-tuned is best": (TUNED, "+0.100", [model(TUNED, 0.6), model(overall=0.55),
                                                 CHAMPION], {}),
    "the one from scratch is": (SCRATCH, "+0.100", [model(TUNED, 0.55), model(overall=0.6),
                                                   CHAMPION], {}),
    "the champion is": ("none", "at least", [model(TUNED, 0.48), model(overall=0.49),
                                             CHAMPION], {}),
    "both lose clearly": ("none", "-0.400", [model(TUNED, 0.1), model(overall=0.1), CHAMPION], {}),
    "all are equal": ("none", "difference 0.000", [model(TUNED, 0.5), model(overall=0.5),
                                                   CHAMPION], {}),
    "one alone is better": (TUNED, "+0.050", [model(TUNED, 0.55), CHAMPION], {}),
    # how sure that is
    "it may be luck": ("none", "not signif", [model(overall=0.52), CHAMPION], {"spread": 0.03}),
    "it is no luck": (SCRATCH, "confidence", [model(overall=0.52), CHAMPION],
                      {"spread": 0.019}),
    "sure but too small a gain": ("none", "at least", [model(overall=0.505), CHAMPION],
                                  {"spread": 0.001}),
    "by the margin exactly": (SCRATCH, "+0.010", [model(overall=0.51), CHAMPION], {}),
    "both may be luck": (
        "none", "not significant", [model(TUNED, 0.53), model(overall=0.52), CHAMPION],
        {"spread": 0.031}),
    "too few images": ("none", "too few", [model(overall=0.9), CHAMPION], {"images": 19}),
    "a laxer interval than is asked": ("none", "without a", [model(overall=0.9), CHAMPION],
                                       {"confidence": 0.5}),
    "fewer resamples than are asked": ("none", "without a", [model(overall=0.9), CHAMPION],
                                       {"resamples": 10}),
    "no duel at all": ("none", "without a", [model(overall=0.9), CHAMPION], {"met": False}),
    # cold start
    "the first model": (SCRATCH, "no champion to compare", [model()], {}),
    "the first is below the floor": ("none", "at least 0.3", [model(at_half=0.29)], {}),
    "nobody at all": ("none", "there is no candidate", [], {}),
    "the champion alone": ("none", "not trained", [CHAMPION], {}),
    # the champion
    "a damaged champion": ("none", "restore its files", [model(overall=0.9)],
                           {"damaged": ("champion",), **DAMAGED}),
    "the champion says nothing": ("none", "the champion's", [model(overall=0.9),
                                                             model("champion", math.nan)], {}),
    "the champion itself in two roles": (
        "none", "itself", [model(TUNED, 0.5, digest=DIGESTS["champion"]), CHAMPION], {}),
    # what a candidate must not be
    "a candidate of no numbers": ("none", "measurable", [model(overall=math.nan), CHAMPION], {}),
    "too slow": ("none", "ms", [model(overall=0.9, latency=81), CHAMPION], {}),
    "three times as slow as the champion": ("none", "times the champion's", [
        model(overall=0.9, latency=61), CHAMPION], {}),
    "too large": ("none", "MB", [model(overall=0.9, size_mb=51), CHAMPION], {}),
    "too hungry": ("none", "memory", [model(overall=0.9, memory_mb=401), CHAMPION], {}),
    "the best is unfit, the other is not": (
        SCRATCH, "+0.100", [model(TUNED, 0.9, latency=99), model(overall=0.6), CHAMPION], {}),
    "refused before": (TUNED, "+0.100", [model(TUNED, 0.6), CHAMPION], REFUSED),
    "refused before, and the other loses": ("none", "it hangs", [model(TUNED, 0.4), CHAMPION],
                                            REFUSED),
    # slices and hard cases
    "a camera falls far": ("none", "camera north fell", [
        at(0.6), model("champion", 0.5, cameras={"north": 0.8})], NORTH),
    "a camera falls a little": (SCRATCH, "+0.100", [
        at(0.75), model("champion", 0.5, cameras={"north": 0.8})], NORTH),
    "a camera of few boxes falls": (SCRATCH, "+0.100", [
        at(0.1), model("champion", 0.5, cameras={"north": 0.8})], RARE),
    "a camera falls far, but maybe by luck": (SCRATCH, "+0.300", [
        at(0.65, overall=0.8), model("champion", 0.5, cameras={"north": 0.8})],
        {"spread": 0.2, **NORTH}),
    "a camera is lost": ("none", "north fell from 0.800 to not measurable", [
        at(-1), model("champion", 0.5, cameras={"north": 0.8})], NORTH),
    "hard cases are lost": ("none", "hard cases", [
        model(overall=0.6, hard=7), model("champion", 0.5, hard=10)], {"hard_cases": 10}),
    "a few hard cases are lost": (SCRATCH, "+0.100", [
        model(overall=0.6, hard=8), model("champion", 0.5, hard=10)], {"hard_cases": 10}),
    "the only hard case is lost": (SCRATCH, "+0.100", [
        model(overall=0.6, hard=0), model("champion", 0.5, hard=1)], {"hard_cases": 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_verdict_is_right_and_says_why(name):
    winner, word, models, options = SCENARIOS[name]
    verdict = judge(report(*models, **options), POLICY)

    assert verdict.winner == winner, verdict.reason
    assert word in verdict.reason


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_page_begins_with_its_verdict(name):
    _, _, models, options = SCENARIOS[name]
    compared = report(*models, **options)
    verdict = judge(compared, POLICY)

    won = "not promoted" if verdict.winner == "none" else f"promoted: {verdict.winner}"
    head = f"**{won}**\n\n{verdict.reason}\n"
    assert page(verdict, compared).startswith(head)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_verdict_is_read_as_it_was_written(name, tmp_path):
    _, _, models, options = SCENARIOS[name]
    verdict = judge(report(*models, **options), POLICY)
    verdict.write(VerdictLayout(tmp_path).verdict)

    assert Verdict.read(VerdictLayout(tmp_path).verdict) == verdict


def test_there_are_thirty_at_least():
    assert len(SCENARIOS) >= 30


def test_the_page_holds_the_numbers_that_decided(golden):
    compared = report(
        at(0.65, overall=0.62, hard=9), at(0.82, TUNED, 0.54, hard=8),
        model("champion", 0.5, cameras={"north": 0.8}, hard=9), hard_cases=10, **NORTH,
    )  # fmt: skip
    golden("verdict.md", page(judge(compared, POLICY), compared))
