import random

from hypothesis import given
from hypothesis import strategies as st

from components.shared.store.objects import digest_bytes
from components.shared.store.shards import pack_shards

contents = st.sets(st.binary(min_size=1, max_size=20), max_size=12)


def packed(pictures, **limits):
    return list(pack_shards(pictures, pictures.__getitem__, **limits))


@given(contents, st.integers(1, 4), st.integers(10, 40), st.randoms())
def test_shards_do_not_depend_on_the_order_of_images(contents, most_images, most_bytes, order):
    pictures = {digest_bytes(content): content for content in contents}
    shuffled = random.Random(order.random()).sample(list(pictures), len(pictures))
    limits = {"most_images": most_images, "most_bytes": most_bytes}

    assert packed(pictures, **limits) == list(pack_shards(shuffled, pictures.__getitem__, **limits))


@given(contents, st.integers(1, 4), st.integers(10, 40))
def test_every_image_lies_once_where_its_entry_says(contents, most_images, most_bytes):
    pictures = {digest_bytes(content): content for content in contents}
    shards = packed(pictures, most_images=most_images, most_bytes=most_bytes)
    found = {
        entry.sha256: shard.content[entry.offset : entry.offset + entry.length]
        for shard in shards
        for entry in shard.entries
    }

    assert found == pictures
    assert sum(len(shard.entries) for shard in shards) == len(pictures)


@given(contents, st.integers(1, 4), st.integers(10, 40))
def test_no_shard_is_larger_than_asked_but_for_one_large_image(contents, most_images, most_bytes):
    pictures = {digest_bytes(content): content for content in contents}

    for shard in packed(pictures, most_images=most_images, most_bytes=most_bytes):
        assert len(shard.entries) <= most_images
        assert len(shard.content) <= most_bytes or len(shard.entries) == 1


def test_a_shard_is_named_by_its_content():
    for shard in packed({digest_bytes(content): content for content in (b"one", b"two")}):
        assert shard.key == f"shards/{digest_bytes(shard.content)}.bin"
