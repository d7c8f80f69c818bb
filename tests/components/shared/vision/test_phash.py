import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from components.shared.vision.jpeg import decode_jpeg, decode_small, encode_jpeg
from components.shared.vision.phash import BITS, difference_hash, near_duplicates


def scene(seed):
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return np.array(Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC))


def flipped(hash_, bits):
    return hash_ ^ np.packbits(np.isin(np.arange(BITS), bits))


def hamming(first, second):
    """Return in how many bits two hashes differ."""
    return int(np.bitwise_count(first ^ second).sum())


some_hashes = st.lists(arrays(np.uint8, 32), max_size=6)


@given(some_hashes, st.integers(0, 8), st.data())
@settings(deadline=None)
def test_pairs_are_those_that_a_comparison_of_all_with_all_finds(drawn, max_bits, data):
    bits = st.lists(st.integers(0, BITS - 1), max_size=9)
    near = [flipped(hash_, data.draw(bits)) for hash_ in drawn]
    table = np.array(drawn + near, np.uint8).reshape(-1, 32)
    expected = [
        (i, j)
        for i in range(len(table))
        for j in range(i + 1, len(table))
        if hamming(table[i], table[j]) <= max_bits
    ]

    assert near_duplicates(table, max_bits) == expected


@pytest.mark.parametrize("seed", range(4))
def test_a_picture_saved_again_is_a_near_duplicate(seed):
    again = decode_jpeg(encode_jpeg(scene(seed), quality=60))

    assert hamming(difference_hash(scene(seed)), difference_hash(again)) <= 6


@pytest.mark.parametrize("seed", range(4))
def test_a_smaller_copy_is_a_near_duplicate(seed):
    small = np.array(Image.fromarray(scene(seed)).resize((160, 120), Image.Resampling.LANCZOS))

    assert hamming(difference_hash(scene(seed)), difference_hash(small)) <= 6


@pytest.mark.parametrize("seed", range(4))
def test_the_small_decode_gives_nearly_the_hash_of_the_full_one(seed):
    content = encode_jpeg(scene(seed))
    full, small = decode_jpeg(content), decode_small(content, shortest=64)

    assert hamming(difference_hash(full), difference_hash(small)) <= 4


def test_other_pictures_are_far_apart():
    assert hamming(difference_hash(scene(0)), difference_hash(scene(1))) > 60


def test_a_mirrored_picture_is_another():
    assert hamming(difference_hash(scene(0)), difference_hash(scene(0)[:, ::-1])) > 60
