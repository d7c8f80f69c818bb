import pytest

from components.data.snapshot_dataset.place import place_images
from components.shared.store.objects import digest_bytes, frame_key

ONE, TWO, THREE = (digest_bytes(content) for content in (b"one", b"two", b"three"))


@pytest.fixture
def objects(lake):
    for content in (b"one", b"two", b"three"):
        lake.objects.put(frame_key(digest_bytes(content)), content)
    return lake.objects


def test_an_image_keeps_its_place_when_others_come(connection, objects):
    first = place_images(connection, objects, [ONE, TWO])
    again = place_images(connection, objects, [TWO, ONE, THREE])
    bytes_of = {
        entry.sha256: objects.get_range(entry.shard, entry.offset, entry.length) for entry in again
    }

    assert [entry for entry in again if entry.sha256 != THREE] == first
    assert bytes_of == {ONE: b"one", TWO: b"two", THREE: b"three"}


def test_cut_short_after_the_shard_the_next_call_finds_the_same_place(lake, objects):
    first = place_images(lake.connection, objects, [ONE, TWO])
    lake.execute("DELETE FROM silver.shards")

    assert place_images(lake.connection, objects, [ONE, TWO]) == first


def test_a_frame_that_is_nowhere_is_named(connection, objects):
    objects.delete(frame_key(TWO))

    with pytest.raises(FileNotFoundError, match=TWO):
        place_images(connection, objects, [ONE, TWO])
