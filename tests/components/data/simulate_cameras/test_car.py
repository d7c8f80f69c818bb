import numpy as np
import pytest

from components.data.simulate_cameras.car import car_mesh
from components.data.simulate_cameras.mesh import Mesh, Pose, circle, prism, rectangle
from components.data.simulate_cameras.shapes import SHAPES

KINDS = pytest.mark.parametrize("kind", SHAPES)


@KINDS
def test_a_car_stands_on_the_ground(kind):
    assert car_mesh(kind).points[:, 2].min() == pytest.approx(0, abs=0.02)


@KINDS
def test_a_car_has_the_measures_of_its_kind(kind):
    shape, size = SHAPES[kind], np.ptp(car_mesh(kind).points, axis=0)

    assert size[0] == pytest.approx(shape.length, abs=0.05)
    assert size[1] == pytest.approx(shape.width, abs=0.4)  # its mirrors
    assert size[2] == pytest.approx(shape.height, abs=0.02)


@KINDS
def test_headlights_look_ahead_and_tail_lights_back(kind):
    mesh = car_mesh(kind)
    ahead = {role: mesh.normals[[r == role for r in mesh.roles], 0] for role in ("head", "tail")}

    assert (ahead["head"] > 0).all()
    assert (ahead["tail"] < 0).all()


@pytest.mark.parametrize("base", [rectangle(2, 1), circle(1)], ids=["box", "drum"])
def test_the_normals_of_a_prism_point_out_of_it(base):
    mesh = Mesh.of(prism("wall", base, 0, 1))

    assert (((mesh.centres - (0, 0, 0.5)) * mesh.normals).sum(axis=1) > 0).all()


def test_a_pose_turns_to_the_left():
    (point,) = Pose(10, 20, np.pi / 2).place(np.array([[3.0, 0, 0]]))

    assert point == pytest.approx((10, 23, 0))


def test_a_pose_beside_a_pose_is_where_its_points_are():
    pose = Pose(3, 4, 0.7)
    beside = pose.at(2, -1, 0.2)

    assert (beside.x, beside.y, 0) == pytest.approx(pose.place(np.array([[2.0, -1, 0]]))[0])
    assert beside.heading == pytest.approx(0.9)
