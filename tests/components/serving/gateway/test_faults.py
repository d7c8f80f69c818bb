from hypothesis import given
from hypothesis import strategies as st

from components.serving.gateway.faults import faults_of
from components.shared.contracts.annotation import Box


def box(x=0.0, label="car", side=10.0):
    return Box(x_min=x, y_min=0, x_max=x + side, y_max=side, label=label)


apart = st.lists(st.integers(0, 50), unique=True, max_size=6).map(
    lambda numbers: [box(20.0 * number) for number in numbers]
)


@given(apart)
def test_the_right_boxes_have_no_fault(boxes):
    assert faults_of(boxes, list(reversed(boxes))) == ()


@given(apart)
def test_boxes_where_nothing_is_are_false_positives(boxes):
    assert faults_of(boxes, []) == (("false_positive",) if boxes else ())


@given(apart)
def test_objects_without_boxes_are_missed(boxes):
    assert faults_of([], boxes) == (("missed_object",) if boxes else ())


def test_a_moved_box_is_wrong():
    assert faults_of([box()], [box(2.0)]) == ("wrong_box",)


def test_a_box_too_far_away_is_another_object():
    assert faults_of([box()], [box(8.0)]) == ("false_positive", "missed_object")


def test_another_class_is_a_wrong_label():
    assert faults_of([box()], [box(label="bus")]) == ("wrong_label",)


def test_of_two_boxes_on_one_object_one_is_a_false_positive():
    assert faults_of([box(), box(1.0)], [box()]) == ("false_positive",)
