from types import SimpleNamespace

import numpy as np
import pytest

from components.promotion.evaluate_detector.coco import CocoTruth
from components.promotion.evaluate_detector.matches import average_precision, matches_of
from components.promotion.evaluate_detector.paired_bootstrap import PairedBootstrap, _lower
from components.promotion.evaluate_detector.slices import Slice
from components.shared.contracts.policy import PromotionPolicy
from tests.support.simulated_detections import BETTER, answers, scenes

POLICY = PromotionPolicy(resamples=300)


def drawn(seed, count=40, cameras=2, classes=("car",)):
    random = np.random.default_rng(seed)
    images = scenes(random, count, cameras, classes)
    truth = CocoTruth(images, classes)
    return random, images, truth


def repeated(images, found, counts):
    """The images as often as they were drawn, each copy an image of its own."""
    copies = [image for image, count in zip(images, counts, strict=True) for _ in range(count)]
    named = [(f"{number:064x}", image) for number, image in enumerate(copies)]
    return (
        [image.model_copy(update={"sha256": sha256}) for sha256, image in named],
        {sha256: found[image.sha256] for sha256, image in named},
    )


@pytest.mark.parametrize("seed", range(6))
def test_precision_by_weights_is_precision_on_the_images_drawn(seed):
    classes = ("car", "bus")[: 1 + seed % 2]
    random, images, truth = drawn(seed, classes=classes)
    found = answers(random, images, classes=classes)
    counts = random.multinomial(len(images), np.full(len(images), 1 / len(images)))
    matches = matches_of(truth.compared(truth.measure(found).found), len(images), 10)
    again, answered = repeated(images, found, counts)

    (ours,) = average_precision(matches, counts[None].astype(float))
    assert ours == pytest.approx(CocoTruth(again, classes).measure(answered).coco["map"], abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_undrawn_weights_give_the_numbers_of_every_slice(seed):
    random, images, truth = drawn(seed)
    measured = truth.measure(answers(random, images))

    for part in truth.slices:
        matches = matches_of(truth.compared(measured.found, part), len(images), 1)
        (ours,) = average_precision(matches, np.ones((1, len(images))))
        assert ours == pytest.approx(measured.slices[part.kind][part.name], abs=1e-6)


def test_a_model_meets_itself_without_any_difference():
    random, images, truth = drawn(0)
    measured = truth.measure(answers(random, images))
    duel = PairedBootstrap(truth, POLICY, 1).compare("fine_tuned", measured, measured)

    assert (duel.map.gain, duel.map.low, duel.map.high) == (0, 0, 0)
    assert duel.slices == {}


def test_the_other_way_round_the_interval_is_the_other_way_round():
    random, images, truth = drawn(1)
    first, second = (truth.measure(answers(random, images)) for _ in range(2))
    bootstrap = PairedBootstrap(truth, POLICY, 1)
    there, back = (
        bootstrap.compare("fine_tuned", first, second).map,
        bootstrap.compare("fine_tuned", second, first).map,
    )

    assert (there.gain, there.low, there.high) == pytest.approx((-back.gain, -back.high, -back.low))


def test_a_duel_is_the_same_whenever_it_is_fought():
    random, images, truth = drawn(2)
    first, second = (truth.measure(answers(random, images)) for _ in range(2))

    assert PairedBootstrap(truth, POLICY, 1).compare("fine_tuned", first, second) == (
        PairedBootstrap(truth, POLICY, 1).compare("fine_tuned", first, second)
    )


def test_slices_are_told_where_the_candidate_is_lower_and_nowhere_else():
    random, images, truth = drawn(3)
    first, second = (truth.measure(answers(random, images)) for _ in range(2))
    duel = PairedBootstrap(truth, POLICY, 1).compare("fine_tuned", first, second)

    lower = {
        (kind, name)
        for kind, values in first.slices.items()
        for name, value in values.items()
        if value < second.slices[kind][name]
    }
    assert {(kind, name) for kind, values in duel.slices.items() for name in values} == lower
    for kind, values in duel.slices.items():
        for name, interval in values.items():
            assert interval.low <= interval.gain <= interval.high, (kind, name)


def test_two_candidates_share_the_risk_so_each_needs_a_wider_interval():
    random, images, truth = drawn(4)
    champion, better = (truth.measure(answers(random, images, s)) for s in (BETTER, BETTER))
    one, two = (
        PairedBootstrap(truth, POLICY, n).compare("fine_tuned", better, champion) for n in (1, 2)
    )

    assert (one.confidence, two.confidence) == (POLICY.confidence(1), POLICY.confidence(2))
    assert two.map.low < one.map.low < one.map.high < two.map.high


def test_without_any_object_nothing_is_known():
    _, images, _ = drawn(5)
    empty = [image.model_copy(update={"boxes": ()}) for image in images]
    truth = CocoTruth(empty, ("car",))
    measured = truth.measure({})

    interval = PairedBootstrap(truth, POLICY, 1).compare("fine_tuned", measured, measured).map
    assert (interval.low, interval.high) == (-1, 1)


def test_of_hundreds_of_slices_those_that_decide_and_the_largest_are_compared():
    slices = [
        Slice("class", f"class {number}", boxes, (), ())
        for number, boxes in enumerate([*range(49), *[50] * 30, *[60] * 40])
    ]
    champion = {part.name: 0.9 for part in slices}
    fallen = {part.name: 0.7 if part.boxes == 50 else 0.85 for part in slices}
    candidate, champion = (SimpleNamespace(slices={"class": it}) for it in (fallen, champion))

    compared = _lower(slices, candidate, champion, POLICY)

    assert {part.boxes for part in compared} == {50, 60}
    assert len(compared) == 30 + 40
