import pytest

from components.shared.contracts.record import write_lines
from components.shared.contracts.snapshot import SnapshotImage, SnapshotInfo, SnapshotLayout
from components.shared.store.objects import Objects, digest_bytes
from components.shared.store.shards import pack_shards
from components.shared.store.snapshots import ImageReader, ShardError, SnapshotReader

PICTURES = {digest_bytes(content): content for content in (b"one", b"three", b"five!", b"seven")}


def packed(pictures, **limits):
    return list(pack_shards(pictures, pictures.__getitem__, **limits))


def entries(shards):
    return [entry for shard in shards for entry in shard.entries]


@pytest.fixture
def objects(object_store):
    objects = Objects(object_store)
    for shard in packed(PICTURES, most_images=3):
        objects.put(shard.key, shard.content)
    return objects


@pytest.fixture
def index(tmp_path):
    write_lines(entries(packed(PICTURES, most_images=3)), tmp_path / "index.jsonl")
    return tmp_path / "index.jsonl"


def test_an_image_is_read_from_its_shard(index, objects):
    reader = ImageReader(index, objects)

    assert {sha256: reader.read(sha256) for sha256 in PICTURES} == PICTURES


def test_an_image_without_a_line_is_refused(index, objects):
    with pytest.raises(ShardError, match="image 000000000000 is not in the index"):
        ImageReader(index, objects).read("0" * 64)


def test_a_missing_shard_is_named(index, objects):
    for shard in packed(PICTURES, most_images=3):
        objects.delete(shard.key)

    with pytest.raises(ShardError, match=r"shards/\w+\.bin is not in file://"):
        ImageReader(index, objects).read(next(iter(PICTURES)))


def test_a_damaged_shard_is_refused(index, objects):
    for shard in packed(PICTURES, most_images=3):
        objects.put(shard.key, shard.content[::-1])

    with pytest.raises(ShardError, match="so the shard is damaged"):
        ImageReader(index, objects).read(digest_bytes(b"three"))


def snapshot(root, splits):
    layout = SnapshotLayout(root)
    images = [
        SnapshotImage(
            sha256=sha256,
            width=8,
            height=8,
            camera="north",
            group="day",
            split=split,
            captured_at="2026-01-01T00:00:00Z",
            source_name="a.jpg",
            boxes=(),
        )
        for sha256, split in splits.items()
    ]
    write_lines(images, layout.manifest)
    SnapshotInfo(
        id="0" * 64,
        dataset="toy",
        classes=("car",),
        as_of=None,
        images={},
        boxes={},
        left_out={},
        refused={},
    ).write(layout.info)


def test_a_snapshot_gives_the_images_of_a_split_sorted(index, objects):
    splits = dict(zip(sorted(PICTURES, reverse=True), ["train", "test", "train"], strict=False))
    snapshot(index.parent, splits)
    reader = SnapshotReader(index.parent, objects)

    assert [image.sha256 for image in reader.images()] == sorted(splits)
    assert [image.sha256 for image in reader.images("train")] == sorted(
        sha256 for sha256, split in splits.items() if split == "train"
    )
    assert reader.info.dataset == "toy"
