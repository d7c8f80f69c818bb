from datetime import UTC, datetime

import numpy as np
import pytest

from components.data.replay_frames.replay import as_live_frame, choose, replay
from components.shared.contracts.errors import UserError
from components.shared.contracts.record import write_lines
from components.shared.contracts.snapshot import (
    SnapshotImage,
    SnapshotInfo,
    SnapshotLayout,
    snapshot_id,
)
from components.shared.store.objects import Objects, digest_bytes
from components.shared.store.shards import pack_shards
from components.shared.store.snapshots import SnapshotReader
from components.shared.vision.jpeg import decode_jpeg, encode_jpeg

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


class KeptFrames:
    """A sender that is a list."""

    def __init__(self):
        self.frames = []

    def send(self, frame):
        self.frames.append(frame)


def picture(number):
    """A picture that is dark on the left and light on the right."""
    ramp = np.linspace(number, 250, 64).astype(np.uint8)
    return np.repeat(np.repeat(ramp[None, :, None], 48, axis=0), 3, axis=2)


@pytest.fixture
def snapshot(tmp_path, object_store):
    """Make a snapshot with so many images of each split."""

    def make(**images):
        contents = {}
        lines = []
        for split, count in images.items():
            for number in range(count):
                jpeg = encode_jpeg(picture(len(lines)))
                contents[digest_bytes(jpeg)] = jpeg
                lines.append(
                    SnapshotImage(
                        sha256=digest_bytes(jpeg), width=64, height=48, camera="gate",
                        group="gate/1", split=split, captured_at=NOW,
                        source_name=f"{number}.jpg", boxes=(),
                    )
                )  # fmt: skip
        layout, objects = SnapshotLayout(tmp_path / "snapshot"), Objects(object_store)
        entries = []
        for shard in pack_shards(contents, contents.__getitem__):
            objects.put(shard.key, shard.content)
            entries += shard.entries
        write_lines(lines, layout.manifest)
        write_lines(entries, layout.index)
        SnapshotInfo(
            id=snapshot_id("yard", ["car"], lines), dataset="yard", classes=("car",), as_of=None,
            images=images, boxes={}, left_out={}, refused={},
        ).write(layout.info)  # fmt: skip
        return SnapshotReader(layout.root, objects)

    return make


def replayed(reader, **changes):
    sender = KeptFrames()
    settings = {"condition": "same", "frames": 10, "seed": 0}
    replay(reader, sender, **{**settings, **changes})
    return sender.frames


def test_only_held_out_images_are_shown(snapshot):
    reader = snapshot(train=5, validation=2, test=3)

    assert {image.split for image in choose(reader, 99, seed=0)} == {"validation", "test"}


def test_no_image_is_shown_twice(snapshot):
    frames = replayed(snapshot(validation=4, test=4))

    assert len({frame.jpeg for frame in frames}) == len(frames) == 8


def test_a_replayed_frame_is_its_image_in_a_mirror(snapshot):
    (frame,) = replayed(snapshot(test=1))
    shown = decode_jpeg(frame.jpeg).astype(int)

    assert np.abs(shown - picture(0)[:, ::-1].astype(int)).max() < 12


def test_nobody_labels_a_replayed_frame(snapshot):
    assert {(frame.boxes, frame.split) for frame in replayed(snapshot(test=3))} == {(None, None)}


def test_night_and_rain_are_darker():
    rng = np.random.default_rng(0)

    assert as_live_frame(picture(0), "night-rain", rng).mean() < picture(0).mean() / 2


def test_the_same_seed_shows_the_same_bytes(snapshot):
    reader = snapshot(validation=3, test=3)
    first, second = (replayed(reader, condition="night-rain") for _ in range(2))

    assert first == second


def test_a_snapshot_that_holds_nothing_out_is_refused(snapshot):
    with pytest.raises(UserError, match="has no held-out images"):
        replayed(snapshot(train=2))


def test_an_unknown_condition_is_refused(snapshot):
    with pytest.raises(UserError, match="condition is 'fog', expected same, night"):
        replayed(snapshot(test=1), condition="fog")
