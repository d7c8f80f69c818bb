"""The reference of all COCO numbers is pycocotools; ours are its, to nine digits."""

import io
from contextlib import redirect_stdout

import hotcoco
import numpy as np
import pytest

from components.promotion.evaluate_detector.coco import CocoTruth
from components.shared.contracts.report import COCO_METRICS
from tests.support.pycocotools_reference import as_coco, by_reference
from tests.support.simulated_detections import Skill, answers, scenes

CASES = 200


def by_library(truth, found):
    ours = hotcoco.COCO(truth)
    with redirect_stdout(io.StringIO()):
        evaluation = hotcoco.COCOeval(ours, ours.load_res(found), "bbox")
        evaluation.run()
    return np.asarray(evaluation.stats)


def corners(random):
    x, y = random.uniform(0, 90, 2)
    width, height = np.exp(random.uniform(np.log(3), np.log(150), 2))
    return [float(x), float(y), float(width), float(height)]


def dataset(random):
    """One case: one to many classes, crowds, empty images, and scores that tie."""
    classes, images = int(random.choice([1, 2, 5, 40])), int(random.integers(1, 9))
    annotations, found = [], []
    for image in range(1, images + 1):
        for _ in range(random.integers(0, 7)):
            place = corners(random)
            annotations.append({
                "id": len(annotations) + 1, "image_id": image, "bbox": place,
                "category_id": int(random.integers(1, classes + 1)),
                "area": place[2] * place[3], "iscrowd": int(random.random() < 0.15),
            })  # fmt: skip
        near = [row for row in annotations if row["image_id"] == image and random.random() < 0.8]
        for row in near:
            shaken = np.array(row["bbox"]) * random.uniform(0.8, 1.25, 4)
            found.append((image, row["category_id"], shaken.tolist()))
        more = random.integers(0, 120 if random.random() < 0.1 else 5)
        found += [
            (image, int(random.integers(1, classes + 1)), corners(random)) for _ in range(more)
        ]
    return {
        "images": [{"id": n, "width": 300, "height": 300} for n in range(1, images + 1)],
        "categories": [{"id": n, "name": str(n)} for n in range(1, classes + 1)],
        "annotations": annotations,
    }, [
        {"image_id": image, "category_id": label, "bbox": place,
         "score": float(round(random.random(), int(random.choice([1, 6]))))}
        for image, label, place in found
    ]  # fmt: skip


def test_the_library_gives_the_reference_s_numbers_on_200_cases_of_every_kind():
    for seed in range(CASES):
        truth, found = dataset(np.random.default_rng(seed))
        if found:
            assert by_library(truth, found) == pytest.approx(
                by_reference(truth, found), abs=1e-9
            ), seed


@pytest.mark.parametrize("seed", range(20))
def test_what_models_say_is_measured_as_the_reference_does(seed):
    random, classes = np.random.default_rng(seed), ("car", "bus", "van")[: 1 + seed % 3]
    images = scenes(random, 12, classes=classes)
    found = answers(random, images, Skill(shake=0.1), classes)
    ours = CocoTruth(images, classes).measure(found)

    assert [ours.coco[name] for name in COCO_METRICS] == pytest.approx(
        by_reference(*as_coco(images, found, classes)).tolist(), abs=1e-9
    )
