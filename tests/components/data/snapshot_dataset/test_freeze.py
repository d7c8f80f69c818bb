from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from components.data.snapshot_dataset.freeze import freeze
from components.shared.contracts.errors import UserError
from components.shared.contracts.snapshot import SnapshotLayout
from components.shared.store.objects import frame_key
from components.shared.store.snapshots import SnapshotReader
from components.shared.vision.jpeg import encode_jpeg
from tests.support.labelled_frames import CAR, NOON, picture


@pytest.fixture
def frozen(lake, tmp_path):
    def run(name="snapshot", grow_test=False):
        return freeze(lake.connection, lake.objects, "toy", tmp_path / name, grow_test=grow_test)

    return run


def files(root):
    layout = SnapshotLayout(root)
    return [Path(file).read_bytes() for file in (layout.info, layout.manifest, layout.index)]


def test_every_labelled_image_is_there_with_its_bytes_and_boxes(lake, frozen, tmp_path):
    digests = lake.fill()
    info = frozen()
    reader = SnapshotReader(tmp_path / "snapshot", lake.objects)

    assert [image.sha256 for image in reader.images()] == sorted(digests)
    assert all(reader.read(sha256) == lake.objects.get(frame_key(sha256)) for sha256 in digests)
    assert {image.boxes[0].label for image in reader.images()} == {"car"}
    assert sum(info.images.values()) == sum(info.boxes.values()) == 12
    assert min(info.images.values()) > 0


def test_frozen_again_it_is_the_same_byte_for_byte(lake, frozen, tmp_path):
    lake.fill()
    frozen("one")
    frozen("two")

    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_neither_the_order_of_rows_nor_the_time_zone_of_the_server_changes_the_id(lake, frozen):
    numbers = list(range(12))
    lake.fill(numbers)
    first = frozen().id
    lake.execute("TRUNCATE silver.frames, silver.labels, silver.splits, silver.shards")
    lake.execute("SET TIME ZONE 'Asia/Tokyo'")
    lake.fill(np.random.default_rng(1).permutation(numbers).tolist())

    assert frozen().id == first


def test_the_order_of_boxes_does_not_change_the_id(lake, frozen):
    (sha256, *_) = lake.fill()
    other = CAR | {"x_max": 9}
    lake.label(sha256, [CAR, other], NOON + timedelta(days=1))
    first = frozen().id
    lake.label(sha256, [other, CAR], NOON + timedelta(days=2))

    assert frozen().id == first


def test_the_newest_label_holds(lake, frozen, tmp_path):
    (sha256, *_) = lake.fill()
    first = frozen().id
    lake.label(sha256, [], NOON + timedelta(days=1))
    again = frozen()

    assert again.id != first
    assert sum(again.boxes.values()) == 11
    assert again.as_of == NOON + timedelta(days=1)


def test_new_groups_leave_the_test_set_as_it_was(lake, frozen):
    lake.fill()
    first = frozen()
    for number in range(20, 40):
        lake.add(encode_jpeg(picture(number)), f"new{number}", number=number)

    assert frozen().images["test"] == first.images["test"]
    assert sum(frozen().images.values()) == 32


def test_the_test_set_grows_when_asked(lake, frozen):
    lake.fill()
    first = frozen()
    for number in range(20, 40):
        lake.add(encode_jpeg(picture(number)), f"new{number}", number=number)

    assert frozen(grow_test=True).images["test"] > first.images["test"]


def test_a_picture_saved_again_never_stands_on_two_sides(lake, frozen):
    for split, seeds in (("train", [1, 2]), ("validation", [3, 4]), ("test", [5, 6])):
        for seed in seeds:
            lake.add(encode_jpeg(picture(seed)), split, split, number=seed)
    twin = lake.add(encode_jpeg(picture(5), quality=80), "train", "train", number=9)
    info = frozen()

    assert info.left_out == {twin: "bridges_splits"}
    assert info.images == {"train": 2, "validation": 2, "test": 2}


def test_what_cannot_be_taken_is_left_out_with_its_reason(lake, frozen):
    gone, changed, bad, *_ = lake.fill()
    lake.objects.delete(frame_key(gone))
    lake.objects.put(frame_key(changed), b"others")
    lake.label(bad, [CAR | {"x_max": 0}], NOON + timedelta(days=1))

    assert frozen().left_out == {
        gone: "bytes_missing",
        changed: "bytes_changed",
        bad: "bad_boxes",
    }


def test_an_image_that_does_not_decode_is_taken_for_others_to_judge(lake, frozen):
    lake.fill()
    lake.add(b"no picture", "g0")

    assert sum(frozen().images.values()) == 13


def test_what_was_refused_at_the_door_is_counted(lake, frozen):
    lake.fill()
    lake.execute(
        "INSERT INTO quarantine.items (dedupe_key, dataset, source_name, reason, detail) VALUES "
        "('1', 'toy', 'a', 'undecodable', ''), ('2', 'toy', 'b', 'undecodable', ''), "
        "('3', 'other', 'c', 'not_json', '')"
    )

    assert frozen().refused == {"undecodable": 2}


def test_a_dataset_without_labels_is_refused_and_the_others_named(lake, tmp_path):
    lake.fill()

    with pytest.raises(UserError, match=r"dataset 'boats' has no labelled frames; .*: toy"):
        freeze(lake.connection, lake.objects, "boats", tmp_path, grow_test=False)


def test_the_last_line_says_how_many(lake, frozen, capsys):
    lake.fill()
    info = frozen()
    said = capsys.readouterr().out.splitlines()[-1]

    assert said.startswith(f"» snapshot {info.id[:12]}: 12 images (")
    assert said.endswith("test), 12 boxes")
