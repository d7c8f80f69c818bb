"""Who learns from what, and when, follows from the seed; workers share and do not overlap."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from components.training.train_detector.data.sampler import MOSAIC_CANDIDATES, BatchSampler, pad


def schedule(images=40, worker=0, workers=2, seed=0):
    return BatchSampler(images, 8, epochs=10, seed=seed, worker=worker, workers=workers)


@given(st.integers(1, 100), st.integers(0, 9))
def test_workers_together_take_what_one_would_take(images, epoch):
    alone = schedule(images, workers=1).indices(epoch)
    shares = [schedule(images, worker).indices(epoch) for worker in (0, 1)]

    assert [sorted(a + b) for a, b in zip(*shares, strict=True)] == [sorted(row) for row in alone]


@given(st.integers(8, 100))
def test_no_image_is_taken_twice_in_an_epoch(images):
    taken = [index for row in schedule(images, workers=1).indices(3) for index in row]

    assert len(taken) == len(set(taken))


def test_fewer_images_than_a_batch_still_make_one():
    assert [len(row) for row in schedule(images=3, workers=1).indices(0)] == [8]


def test_every_epoch_has_its_own_order():
    assert schedule().indices(0) != schedule().indices(1)


@given(st.integers(1, 300), st.integers(0, 9))
def test_a_mosaic_chooses_among_the_images_of_the_steps_around(images, epoch):
    one, other = schedule(images), schedule(images, worker=1)

    assert one.mosaic_candidates(epoch) == other.mosaic_candidates(epoch)
    for own, near in zip(one.indices(epoch), one.mosaic_candidates(epoch), strict=True):
        assert set(own) <= set(near)
        assert len(near) <= MOSAIC_CANDIDATES


def test_places_without_an_object_say_so():
    full = np.ones((2, 4), np.float32), np.zeros(2, np.int32)
    bare = np.zeros((0, 4), np.float32), np.zeros(0, np.int32)
    boxes, classes = pad([full, bare])

    assert boxes.shape == (2, 2, 4)
    assert classes.tolist() == [[0, 0], [-1, -1]]


def test_a_batch_without_any_object_has_no_places():
    bare = np.zeros((0, 4), np.float32), np.zeros(0, np.int32)

    assert pad([bare, bare])[0].shape == (2, 0, 4)
