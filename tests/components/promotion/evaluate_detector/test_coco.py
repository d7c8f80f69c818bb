import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.promotion.evaluate_detector.coco import CocoTruth
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.report import COCO_METRICS
from tests.support.snapshot_images import box, image


def scored(box, score=0.9, moved=0.0):
    return ScoredBox(
        x_min=box.x_min + moved, y_min=box.y_min, x_max=box.x_max + moved, y_max=box.y_max,
        label=box.label, score=score,
    )  # fmt: skip


IMAGES = [
    image(1, box(), box(100, 60), camera="north"),
    image(2, box(200, 200), camera="south"),
    image(3, camera="south"),
]
PERFECT = {each.sha256: [scored(box) for box in each.boxes] for each in IMAGES}


def measure(images, found, classes=("car",)):
    return CocoTruth(images, classes).measure(found)


def test_perfect_answers_score_one_everywhere():
    measured = measure(IMAGES, PERFECT)

    assert measured.coco["map"] == pytest.approx(1)
    assert measured.slices == {
        "class": {"car": pytest.approx(1)},
        "size": dict.fromkeys(("small", "medium", "large"), pytest.approx(1)),
        "camera": {"north": pytest.approx(1), "south": pytest.approx(1)},
        "hour": {"00 to 06 h": pytest.approx(1)},
        "crowding": {"1 to 3": pytest.approx(1)},
    }


def test_all_twelve_numbers_are_there():
    assert tuple(measure(IMAGES, PERFECT).coco) == COCO_METRICS


def test_no_answers_score_zero():
    assert measure(IMAGES, {}).coco["map50"] == 0


def test_a_moved_box_counts_at_half_overlap_and_not_at_three_quarters():
    found = {key: [scored(box, moved=(box.x_max - box.x_min) / 4) for box in boxes]
             for key, boxes in PERFECT.items()}  # fmt: skip
    measured = measure(IMAGES, found)

    assert measured.coco["map50"] == pytest.approx(1)
    assert measured.coco["map75"] == 0


def test_a_slice_is_measured_on_its_own_images():
    found = {key: boxes for key, boxes in PERFECT.items() if key != IMAGES[1].sha256}

    assert measure(IMAGES, found).slices["camera"] == {"north": pytest.approx(1), "south": 0}


def test_a_test_split_without_boxes_has_undefined_numbers_and_no_slices():
    measured = measure([image(3)], {image(3).sha256: [scored(box())]})

    assert set(measured.coco.values()) == {-1}
    assert measured.slices == {}
    assert (measured.recall.size, measured.precision.size) == (0, 0)


def test_a_class_that_the_snapshot_does_not_have_is_ignored():
    found = {key: [*boxes, scored(box(300, label="tram"), 1.0)] for key, boxes in PERFECT.items()}

    assert measure(IMAGES, found).coco == measure(IMAGES, PERFECT).coco


def test_a_class_that_the_model_does_not_know_counts_as_not_found():
    images = [image(1, box(), box(100, label="bus"))]
    measured = measure(images, {images[0].sha256: [scored(box())]}, ("car", "bus"))

    assert measured.slices["class"] == {"car": pytest.approx(1), "bus": 0}
    assert measured.coco["map50"] == pytest.approx(0.5)


def test_true_boxes_are_counted_by_slice():
    assert CocoTruth(IMAGES, ("car",)).slice_boxes() == {
        "class": {"car": 3},
        "size": {"large": 1, "medium": 1, "small": 1},
        "camera": {"north": 2, "south": 1},
        "hour": {"00 to 06 h": 3},
        "crowding": {"1 to 3": 3},
    }


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(3)), st.lists(st.floats(0.1, 1), min_size=3, max_size=3))
def test_the_order_of_images_and_answers_does_not_matter(order, scores):
    found = {
        each.sha256: [scored(box, score, moved=3) for box in each.boxes]
        for each, score in zip(IMAGES, scores, strict=True)
    }
    shuffled = {IMAGES[place].sha256: found[IMAGES[place].sha256] for place in order}

    assert measure([IMAGES[place] for place in order], shuffled).coco == measure(IMAGES, found).coco
