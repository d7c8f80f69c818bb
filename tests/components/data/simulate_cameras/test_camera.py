import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.data.simulate_cameras.camera import HEIGHT, WIDTH, CameraPose, on_ground

VIEWS = st.builds(
    CameraPose,
    height=st.floats(3, 10),
    pitch=st.floats(0.15, 0.5),
    pan=st.floats(-0.4, 0.4),
    focal=st.floats(300, 800),
)
LEVEL = CameraPose(height=5.0, pitch=0.2, pan=0.0, focal=500.0)


@given(view=VIEWS, column=st.floats(0, WIDTH), share=st.floats(0.05, 1))
def test_a_pixel_of_the_ground_comes_back_to_itself(view, column, share):
    top = max(view.horizon, 0)
    row = top + share * (HEIGHT - top)
    x, y = view.ground(np.array([column]), np.array([row]))
    ((back_column, back_row),), _ = view.project(np.array([[x[0], y[0], 0.0]]))

    assert (back_column, back_row) == pytest.approx((column, row), abs=1e-5)


@given(view=VIEWS)
def test_the_axes_of_a_view_are_at_right_angles(view):
    assert view.axes @ view.axes.T == pytest.approx(np.eye(3))


def test_what_is_twice_as_far_is_half_as_tall():
    ends = np.array([[0, y, z] for y in (20.0, 40.0) for z in (0.0, 1.5)])
    pixels, _ = CameraPose(height=5.0, pitch=0.0, pan=0.0, focal=500.0).project(ends)

    assert pixels[0, 1] - pixels[1, 1] == pytest.approx(2 * (pixels[2, 1] - pixels[3, 1]))


def test_what_is_on_the_right_is_drawn_on_the_right():
    (pixel,), _ = LEVEL.project(np.array([[2.0, 20.0, 0.0]]))

    assert pixel[0] > WIDTH / 2


def test_the_ground_ends_at_the_horizon():
    (pixel,), _ = LEVEL.project(np.array([[0.0, 1e7, 0.0]]))

    assert pixel[1] == pytest.approx(LEVEL.horizon, abs=0.01)


def test_a_polygon_that_passes_the_lens_is_cut():
    strip = on_ground(np.array([[-1, -50], [1, -50], [1, 50], [-1, 50]]))
    pixels = LEVEL.outline(strip)

    assert np.isfinite(pixels).all()
    assert pixels[:, 1].min() == pytest.approx(LEVEL.project(strip[2:])[0][:, 1].min())


def test_a_polygon_behind_the_lens_is_nothing():
    assert LEVEL.outline(on_ground(np.array([[-1, -9], [1, -9], [1, -8]]))).shape == (0, 2)
