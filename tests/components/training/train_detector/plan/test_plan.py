"""Same in, same fingerprint; and everything that matters is in."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from components.shared.contracts.annotation import Box
from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import TrainingPolicy
from components.shared.contracts.record import write_lines
from components.shared.contracts.snapshot import SnapshotImage, SnapshotInfo, SnapshotLayout
from components.training.train_detector.plan.plan import (
    POLICY,
    input_size,
    learnable,
    lineage_of,
    plan_training,
)
from components.training.train_detector.plan.settings import MAX_BOXES, TrainingSettings

INFO = SnapshotInfo(
    id="1" * 64, dataset="cars", classes=("car",), as_of=None,
    images={"train": 100, "validation": 10}, boxes={}, left_out={}, refused={},
)  # fmt: skip
PICTURE = SnapshotImage(
    sha256="3" * 64, width=640, height=480, camera="north", group="a", split="train",
    captured_at=datetime(2026, 1, 1, tzinfo=UTC), source_name="", boxes=(),
)  # fmt: skip


def pictures(*sizes):
    return [SimpleNamespace(width=width, height=height) for width, height in sizes]


def fingerprint(info=INFO, **chosen):
    return lineage_of(info, None, TrainingSettings(**chosen)).fingerprint


@pytest.fixture
def plan(tmp_path):
    def plan(info=INFO, images=(PICTURE,), policy=POLICY, **chosen):
        layout = SnapshotLayout(tmp_path / "snapshot")
        info.write(layout.info)
        write_lines(images, layout.manifest)
        return plan_training(layout.root, None, TrainingSettings(**chosen), policy)

    return plan


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"epochs": 3}, {"size": "nano"}, {"workers": 1}, {"batch_size": 16}]
)
def test_another_setting_is_another_training(change):
    assert fingerprint(**change) != fingerprint()


def test_another_snapshot_is_another_training():
    assert fingerprint(INFO.model_copy(update={"id": "2" * 64})) != fingerprint()


def test_the_same_again_is_the_same_training():
    assert fingerprint(seed=3) == fingerprint(seed=3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((640, 480), (320, 256)), ((480, 640), (256, 320)), ((640, 640), (320, 320)),
     ((1920, 1080), (320, 192)), ((4000, 100), (320, 32))],
)  # fmt: skip
def test_the_input_has_the_shape_of_the_pictures(size, expected):
    assert input_size(pictures(size), 320) == expected


def test_the_input_follows_most_pictures_not_the_odd_one():
    assert input_size(pictures((640, 480), (640, 480), (100, 4000)), 320) == (320, 256)


def test_an_input_that_does_not_divide_is_refused():
    with pytest.raises(UserError, match="image size is 300, expected a multiple of 32"):
        input_size(pictures((640, 480)), 300)


def test_more_images_are_passed_over_less_often():
    epochs = [TrainingPolicy().epochs(images) for images in (50, 500, 5_000, 50_000)]

    assert epochs == sorted(epochs, reverse=True)
    assert epochs[-1] > 0


def test_a_person_may_choose_the_epochs(plan):
    assert plan(epochs=7).epochs == 7


def test_epochs_that_follow_from_the_policy_are_the_training_that_a_person_may_choose(plan):
    by_policy = plan()

    assert by_policy.fingerprint == plan(epochs=by_policy.epochs).fingerprint


def test_a_policy_that_gives_other_epochs_is_another_training(plan):
    longer = TrainingPolicy(images_seen=24_000)

    assert plan(policy=longer).fingerprint != plan().fingerprint


def test_a_policy_that_gives_the_same_epochs_is_the_same_training(plan):
    same = TrainingPolicy(max_epochs=9_000, min_epochs=1)

    assert plan(policy=same).fingerprint == plan().fingerprint


def test_a_snapshot_without_validation_images_is_refused(plan):
    with pytest.raises(UserError, match="has no validation images"):
        plan(INFO.model_copy(update={"images": {"train": 9}}))


def test_a_batch_that_cannot_be_shared_is_refused(plan):
    with pytest.raises(UserError, match="batch size is 9, expected a multiple of 2 workers"):
        plan(batch_size=9)


def crowded(boxes):
    box = Box(x_min=1, y_min=1, x_max=9, y_max=9, label="car")
    return PICTURE.model_copy(update={"boxes": (box,) * boxes})


def test_an_image_with_more_boxes_than_a_step_has_memory_for_is_left_out_as_a_whole():
    fits, not_ = crowded(MAX_BOXES), crowded(MAX_BOXES + 1)

    assert learnable([PICTURE, fits, not_]) == [PICTURE, fits]


def test_a_snapshot_of_such_images_alone_is_refused_before_any_worker_starts(plan):
    with pytest.raises(UserError) as refused:
        plan(images=[crowded(MAX_BOXES + 1)])
    assert str(refused.value) == (
        "every train image of snapshot 111111111111 has more than 1,000 boxes, "
        "expected one with fewer"
    )
