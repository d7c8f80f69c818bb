from components.monitoring.detect_drift.observe import observe, read_reference
from components.shared.contracts.absence import mark_absent
from components.shared.contracts.annotation import Box
from components.shared.contracts.record import write_lines
from components.shared.contracts.snapshot import (
    ShardEntry,
    SnapshotImage,
    SnapshotInfo,
    SnapshotLayout,
)
from components.shared.store.objects import frame_key
from components.shared.vision.descriptors import DESCRIPTORS, PICTURE


def test_a_window_is_seen_with_the_boxes_that_were_served(scene):
    seen = observe(scene.window(frames=3).root, scene.objects)

    assert (seen.dataset, seen.model, seen.names) == ("yard", scene.model, DESCRIPTORS)
    assert [frame.descriptors["boxes"] for frame in seen.frames] == [
        len(frame.boxes) for frame in seen.frames
    ]


def test_an_empty_window_is_seen_as_empty(scene):
    assert observe(scene.window(frames=0).root, scene.objects).frames == ()


def test_of_a_snapshot_the_pictures_are_compared_and_the_labels_shown(scene, tmp_path):
    frame = observe(scene.window(frames=1).root, scene.objects).frames[0]
    layout = SnapshotLayout(tmp_path / "snapshot")
    SnapshotInfo(
        id="5" * 64, dataset="yard", classes=("car",), as_of=None, images={}, boxes={},
        left_out={}, refused={},
    ).write(layout.info)  # fmt: skip
    label = Box(x_min=1, y_min=1, x_max=9, y_max=9, label="car")
    image = SnapshotImage(
        sha256=frame.sha256, width=80, height=60, camera="gate", group="gate", split="train",
        captured_at="2026-01-01T12:00:00Z", source_name="a", boxes=(label,),
    )  # fmt: skip
    size = len(scene.objects.get(frame_key(frame.sha256)))
    place = ShardEntry(sha256=frame.sha256, shard=frame_key(frame.sha256), offset=0, length=size)
    write_lines([image], layout.manifest)
    write_lines([place], layout.index)

    seen = observe(layout.root, scene.objects)

    assert (seen.id, seen.model, seen.names) == ("5" * 64, None, PICTURE)
    assert seen.frames[0].boxes == (label,)
    assert seen.frames[0].descriptors["brightness"] == frame.descriptors["brightness"]


def test_a_reference_knows_whose_it_is(scene):
    reference = read_reference(scene.champion.root)

    assert (reference.model, len(reference.frames)) == (scene.model, 40)


def test_an_absent_champion_says_why(tmp_path):
    mark_absent(tmp_path, "no model of yard is in service")

    assert read_reference(tmp_path).absent == "no model of yard is in service"
