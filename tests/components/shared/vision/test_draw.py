import numpy as np

from components.shared.contracts.annotation import Box
from components.shared.vision.draw import COLOURS, class_colour, draw_boxes

GREY = np.full((120, 160, 3), 100, np.uint8)
CAR = Box(x_min=40, y_min=50, x_max=120, y_max=100, label="car")


def test_the_picture_itself_is_not_changed():
    draw_boxes(GREY, [CAR])

    assert np.all(GREY == 100)


def test_a_box_is_outlined_and_its_inside_left_alone():
    drawn = draw_boxes(GREY, [CAR], captions=())

    assert np.all(drawn[54:96, 44:116] == 100)
    assert np.all(drawn[:47] == 100)
    assert np.any(drawn[49:52, 60:100] != 100)


def test_a_line_between_two_pixels_is_shared_by_both():
    white = (255, 255, 255)
    exact = draw_boxes(GREY, [CAR], white, captions=()).astype(int)
    half = CAR.model_copy(update={"y_min": 50.5})
    between = draw_boxes(GREY, [half], white, captions=()).astype(int)

    assert exact[50, 80, 0] == exact[49, 80, 0]
    assert between[50, 80, 0] > between[49, 80, 0]


def test_a_tag_stands_above_its_box():
    tagged, bare = draw_boxes(GREY, [CAR]), draw_boxes(GREY, [CAR], captions=())
    rows = np.nonzero(np.any(tagged != bare, axis=(1, 2)))[0]

    assert rows.min() < 45
    assert rows.max() <= 51


def test_a_tag_at_the_upper_edge_stands_inside():
    top = Box(x_min=40, y_min=0, x_max=120, y_max=60, label="car")
    tagged, bare = draw_boxes(GREY, [top]), draw_boxes(GREY, [top], captions=())

    assert np.any(tagged[3:12] != bare[3:12])


def test_each_box_may_have_its_own_colour():
    other = CAR.model_copy(update={"y_min": 10, "y_max": 40})
    drawn = draw_boxes(GREY, [CAR, other], [(255, 0, 0), (0, 255, 0)], captions=())

    assert drawn[75, 40, 0] > drawn[75, 40, 1]
    assert drawn[25, 40, 1] > drawn[25, 40, 0]


def test_a_box_that_leaves_the_picture_is_drawn_as_far_as_it_goes():
    outside = Box(x_min=-50, y_min=-50, x_max=500, y_max=60, label="car")

    assert draw_boxes(GREY, [outside]).shape == GREY.shape


def test_no_boxes_leave_the_picture_as_it_is():
    assert np.array_equal(draw_boxes(GREY, []), GREY)


def test_a_class_has_its_colour_and_a_strange_one_another():
    assert class_colour("car", ["car", "van"]) == COLOURS[0]
    assert class_colour("cat", ["car", "van"]) not in COLOURS
