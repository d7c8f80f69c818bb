"""Who learns from what, and when, follows from the seed; workers share and do not overlap."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from components.train_detector.batches import Schedule, batches, collate
from components.train_detector.samples import Sample


def sample(boxes):
    return Sample(
        np.zeros((32, 64, 3), np.uint8), np.zeros((boxes, 4), "f"), np.zeros(boxes, np.int32)
    )


def schedule(images=40, worker=0, workers=2, seed=0):
    return Schedule(images, 8, epochs=10, seed=seed, worker=worker, workers=workers)


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


def test_the_last_epochs_see_whole_pictures():
    assert [schedule().mosaic(epoch) > 0 for epoch in range(10)] == [True] * 8 + [False] * 2


def test_places_without_an_object_say_so():
    batch = collate([sample(2), sample(0)])

    assert batch.classes.tolist() == [[0, 0], [-1, -1]]


def test_the_same_seed_gives_the_same_batches():
    rng = np.random.default_rng(0)
    box, car = np.array([[4, 4, 40, 20]], np.float32), np.zeros(1, np.int32)
    pictures = rng.integers(0, 255, (40, 32, 64, 3)).astype(np.uint8)
    samples = [Sample(picture, box, car) for picture in pictures]

    first, second = (list(batches(samples, schedule(), epoch=2)) for _ in "ab")

    assert len(first) == 5
    assert all(map(np.array_equal, first[4], second[4]))
