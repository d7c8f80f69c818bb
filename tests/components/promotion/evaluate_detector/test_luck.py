"""Models that are equal meet a thousand times; luck alone promotes fewer than the policy says."""

from itertools import permutations

import numpy as np

from components.promotion.evaluate_detector.coco import CocoTruth
from components.promotion.evaluate_detector.paired_bootstrap import PairedBootstrap
from components.promotion.judge_model.judge import judge
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.report import ModelReport, Report
from tests.support.simulated_detections import EQUAL, Skill, answers, scenes

POLICY = PromotionPolicy(resamples=300)
WORLDS, MODELS, IMAGES = 20, 8, 40
BETTER = Skill(recall=0.85, shake=0.065)  # by about 12 points of mAP50-95


def judged(truth, bootstrap, candidate, champion):
    """The verdict of the real gate over one candidate, told by what it measured."""
    models = tuple(
        ModelReport(
            role=role, model=digit * 64, coco=measured.coco, slices=measured.slices,
            latency_ms_p50=9, latency_ms_p95=10, size_bytes=1_000_000,
        )
        for role, digit, measured in (("from_scratch", "a", candidate), ("champion", "b", champion))
    )  # fmt: skip
    report = Report(
        dataset="toys", snapshot="0" * 64, split="test", images=len(truth.images), boxes=1,
        models=models, absent={}, slice_boxes=truth.slice_boxes(),
        duels=(bootstrap.compare("from_scratch", candidate, champion),),
    )  # fmt: skip
    return judge(report, POLICY).winner


def world(seed, skills):
    """Some images, and what models of some skills make of them."""
    random = np.random.default_rng(seed)
    images = scenes(random, IMAGES)
    truth = CocoTruth(images, ("car",))
    models = [truth.measure(answers(random, images, skill)) for skill in skills]
    return truth, PairedBootstrap(truth, POLICY, 1), models


def test_in_1000_comparisons_of_equal_models_luck_promotes_fewer_than_alpha():
    winners = []
    for seed in range(WORLDS):
        truth, bootstrap, models = world(seed, [EQUAL] * MODELS)
        winners += [judged(truth, bootstrap, *pair) for pair in permutations(models, 2)]

    assert len(winners) >= 1000
    assert 0 < winners.count("from_scratch") < POLICY.alpha * len(winners)


def test_a_model_that_is_truly_better_is_promoted_nearly_always():
    winners = [
        judged(truth, bootstrap, better, equal)
        for truth, bootstrap, (better, equal) in (
            world(seed, [BETTER, EQUAL]) for seed in range(30)
        )
    ]

    assert winners.count("from_scratch") >= 0.8 * len(winners)
