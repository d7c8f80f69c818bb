from hypothesis import given
from hypothesis import strategies as st

from components.promotion.evaluate_detector.errors import (
    BACKGROUND,
    compare,
    confusion_matrix,
    most_telling,
    worst,
)
from components.shared.contracts.annotation import Box, ScoredBox

CLASSES = ("car", "bus")


def box(x=0, label="car", side=10):
    return Box(x_min=x, y_min=0, x_max=x + side, y_max=side, label=label)


def found(x=0, label="car", score=0.9, side=10):
    return ScoredBox(x_min=x, y_min=0, x_max=x + side, y_max=side, label=label, score=score)


def kinds(truth, answer):
    return sorted(error.kind for error in compare(truth, answer).errors)


places = st.integers(0, 40)
labels = st.sampled_from(CLASSES)
truths = st.lists(st.builds(box, places, labels), max_size=6)
answers = st.lists(st.builds(found, places, labels, st.floats(0.3, 1)), max_size=6)


@given(truths, answers)
def test_every_box_is_told_of_exactly_once(truth, answer):
    pairs = compare(truth, answer).pairs

    assert sorted(true for true, _ in pairs if true != BACKGROUND) == sorted(
        box.label for box in truth
    )
    assert sorted(said for _, said in pairs if said != BACKGROUND) == sorted(
        box.label for box in answer
    )


@given(truths)
def test_the_truth_itself_has_no_errors(truth):
    distinct = {(box.x_min, box.label): box for box in truth}.values()
    answer = [found(box.x_min, box.label) for box in distinct]

    assert compare(list(distinct), answer).errors == ()


def test_each_error_has_its_name():
    assert kinds([box()], []) == ["missed"]
    assert kinds([], [found()]) == ["false"]
    assert kinds([box()], [found(6)]) == ["badly placed"]
    assert kinds([box()], [found(label="bus")]) == ["mistaken"]
    assert kinds([box()], [found(30)]) == ["false", "missed"]
    assert kinds([box()], [found(1)]) == []


def test_the_box_of_the_same_class_is_preferred():
    assert kinds([box()], [found(label="bus"), found(2)]) == ["false"]


def test_an_object_is_found_once():
    assert kinds([box()], [found(), found(1)]) == ["false"]


def test_the_confusion_matrix_has_the_background_last():
    pairs = [
        ("car", "car"),
        ("car", "bus"),
        ("bus", BACKGROUND),
        (BACKGROUND, "car"),
        ("tram",) * 2,
    ]

    assert confusion_matrix(pairs, CLASSES) == [[1, 1, 0], [0, 0, 1], [1, 0, 0]]


@given(st.integers(1, 12), st.integers(1, 5), st.randoms())
def test_a_cut_matrix_keeps_every_pair_and_the_classes_with_most_errors(classes, most, random):
    names = [f"class {number}" for number in range(classes)]
    pairs = [random.choices([*names, BACKGROUND], k=2) for _ in range(40)]
    matrix = confusion_matrix(pairs, names)

    kept, counts = most_telling(matrix, names, most)

    assert len(kept) == len(counts) == min(classes, most + 1 if classes > most else classes) + 1
    assert sum(map(sum, counts)) == len(pairs)
    assert (kept[-1], counts[-1][-1]) == (BACKGROUND, matrix[-1][-1])
    wrong = {name: sum(name in pair and pair[0] != pair[1] for pair in pairs) for name in names}
    left = [wrong[name] for name in names if name not in kept]
    assert not left or max(left) <= min(wrong[name] for name in kept if name in names)


def test_a_matrix_of_256_classes_is_cut_in_no_time():
    names = [f"class {number}" for number in range(256)]
    matrix = confusion_matrix([(name, name) for name in names], names)

    kept, counts = most_telling(matrix, names, 16)

    assert kept[-2:] == ["240 others", BACKGROUND]
    assert counts[-2][-2] == 240


def test_the_worst_come_first():
    errors = {
        "a": compare([box(side=10)], []).errors,
        "b": compare([box(side=30)], []).errors,
        "c": compare([], [found(score=0.4), found(50, score=0.9)]).errors,
    }

    assert [key for key, _ in worst(errors, "missed", 2)] == ["b", "a"]
    assert [error.found.score for _, error in worst(errors, "false", 1)] == [0.9]


def test_an_error_says_what_it_is():
    (missed,) = compare([box()], []).errors
    (false,) = compare([], [found()]).errors

    assert str(missed) == "not found: car, 10 × 10 px"
    assert str(false) == "car 0.90: no object"
