"""COCO numbers, slices and duels of 5,000 images and 200,000 boxes, against pycocotools."""

from collections.abc import Callable, Iterator
from time import process_time

import numpy as np

from components.promotion.evaluate_detector.coco import CocoTruth
from components.promotion.evaluate_detector.paired_bootstrap import PairedBootstrap
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.policy import PromotionPolicy
from components.shared.contracts.report import COCO_METRICS
from components.shared.contracts.snapshot import SnapshotImage
from tests.benchmarks.table import Row, at_least
from tests.support.pycocotools_reference import as_coco, by_reference
from tests.support.simulated_detections import Skill, answers, scenes

IMAGES, CAMERAS, CLASSES = 5000, 40, ("car", "bus", "van")
SKILL = Skill(false_alarms=32)  # 200,000 boxes with the true ones
TIMES = 3


def rows() -> Iterator[Row]:
    """Measure from the records that a model's answers are, to the twelve numbers."""
    random = np.random.default_rng(0)
    images = scenes(random, IMAGES, CAMERAS, CLASSES)
    found = answers(random, images, SKILL, CLASSES)
    boxes = sum(map(len, found.values())) + sum(len(image.boxes) for image in images)
    truth = CocoTruth(images, CLASSES)
    truth.slices = []  # the reference has none
    ours, theirs, same = _against(images, found, truth)
    what = f"COCO numbers of {IMAGES:,} images, {boxes:,} boxes, CPU"
    yield at_least(what, f"{ours:.2f} s", f"pycocotools {theirs:.2f} s", theirs / ours, 30)
    yield Row("  greatest difference to pycocotools", f"{same:.1e}", goal="<= 1e-9",
              reached=same <= 1e-9)  # fmt: skip
    whole = CocoTruth(images, CLASSES)
    seconds, measured = _timed(lambda: whole.measure(found))
    yield Row(f"  the same with all {len(whole.slices)} slices, CPU", f"{seconds:.2f} s")
    other = whole.measure(answers(random, images, SKILL, CLASSES))
    policy = PromotionPolicy()
    seconds, _ = _timed(
        lambda: PairedBootstrap(whole, policy, 2).compare("fine_tuned", other, measured)
    )
    yield Row(f"  a duel on {policy.resamples:,} resamples, slices too, CPU", f"{seconds:.1f} s")


def _against(
    images: list[SnapshotImage], found: dict[str, tuple[ScoredBox, ...]], truth: CocoTruth
) -> tuple[float, float, float]:
    """Return CPU seconds of ours and of the reference, and how far apart their numbers are."""
    dataset, results = as_coco(images, found, CLASSES)
    ours = [_timed(lambda: truth.measure(found))]
    theirs = _timed(lambda: by_reference(dataset, results))
    ours += [_timed(lambda: truth.measure(found)) for _ in range(TIMES - 1)]
    numbers = np.array([ours[0][1].coco[name] for name in COCO_METRICS])
    seconds = float(np.median([each for each, _ in ours]))
    return seconds, theirs[0], float(np.abs(numbers - theirs[1]).max())


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    start = process_time()  # of all threads: the library has some of its own
    result = work()
    return process_time() - start, result
