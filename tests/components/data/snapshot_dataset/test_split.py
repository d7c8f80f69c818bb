import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from components.data.snapshot_dataset.split import (
    Member,
    assign,
    image_key,
    shared_groups,
    split_of,
)
from components.shared.contracts.events import SPLITS

owners = st.sampled_from([None, None, "train", "validation", "test"])
datasets = st.lists(st.tuples(st.sampled_from("abcdefgh"), owners), min_size=1, max_size=40)


def members(pairs):
    return [Member(f"{number:064x}", group, owner) for number, (group, owner) in enumerate(pairs)]


def groups(sizes, owner=None):
    pairs = [(name, owner) for name, size in sizes.items() for _ in range(size)]
    return members(pairs)


def sides(some, assigned):
    return {member: split_of(member, assigned) for member in some}


def counts(some, assigned):
    return Counter(sides(some, assigned).values())


@given(datasets, st.randoms(), st.booleans())
@settings(deadline=None)
def test_the_order_of_the_images_does_not_matter(pairs, order, grow_test):
    some = members(pairs)
    shuffled = random.Random(order.random()).sample(some, len(some))

    assert assign("toy", some, {}, grow_test=grow_test) == assign(
        "toy", shuffled, {}, grow_test=grow_test
    )


@given(datasets)
@settings(deadline=None)
def test_every_image_has_a_side(pairs):
    some = members(pairs)

    assert None not in counts(some, assign("toy", some, {}, grow_test=False))


@given(datasets, datasets, st.booleans())
@settings(deadline=None)
def test_no_image_ever_moves(pairs, later, grow_test):
    some, more = members(pairs), members(pairs + later)
    first = assign("toy", some, {}, grow_test=False)
    second = assign("toy", more, first, grow_test=grow_test)

    assert not first.keys() & second.keys()
    assert sides(some, first) == sides(some, first | second)


@given(datasets)
@settings(deadline=None)
def test_what_the_owner_calls_validation_or_test_is_so(pairs):
    some = members(pairs)
    assigned = assign("toy", some, {}, grow_test=False)

    for member in some:
        if member.owner in ("validation", "test"):
            assert split_of(member, assigned) == member.owner


@given(st.lists(st.integers(1, 30), min_size=3, max_size=20))
@settings(deadline=None, max_examples=40)
def test_three_groups_or_more_fill_three_splits_and_stay_whole(sizes):
    some = groups({f"g{number}": size for number, size in enumerate(sizes)})
    assigned = assign("toy", some, {}, grow_test=False)

    assert set(counts(some, assigned)) == set(SPLITS)
    assert set(assigned) == {member.group for member in some}


def test_many_groups_are_split_about_70_15_15():
    some = groups({f"g{number}": 10 + number % 7 for number in range(40)})
    found = counts(some, assign("toy", some, {}, grow_test=False))

    assert abs(found["train"] / len(some) - 0.70) < 0.03
    assert abs(found["test"] / len(some) - 0.15) < 0.03


def test_one_large_group_among_small_ones_is_for_training():
    some = groups({"large": 100, "b": 10, "c": 10})

    assert assign("toy", some, {}, grow_test=False)["large"] == "train"


def test_datasets_with_the_same_groups_are_split_differently():
    some = groups({f"g{number}": 1 for number in range(30)})

    assert assign("a", some, {}, grow_test=False) != assign("b", some, {}, grow_test=False)


def test_later_groups_leave_the_test_set_alone():
    some = groups({f"g{number}": 5 for number in range(10)})
    first = assign("toy", some, {}, grow_test=False)
    more = some + [Member(f"{n:064x}", f"new{n}") for n in range(1000, 1050)]

    assert "test" not in assign("toy", more, first, grow_test=False).values()
    assert "test" in assign("toy", more, first, grow_test=True).values()


def test_a_validation_split_that_the_owner_forgot_is_carved_from_his_train_groups():
    trained = groups({f"g{number}": 4 for number in range(12)}, "train")
    some = [*trained, *(Member(f"{n:064x}", "clip", "test") for n in range(500, 510))]
    assigned = assign("toy", some, {}, grow_test=False)
    found = counts(some, assigned)

    assert found["test"] == 10
    assert 4 <= found["validation"] <= 16
    assert shared_groups(some, assigned) == {}


def test_a_choice_that_fills_all_splits_is_taken_as_it_is():
    some = members([("a", "train"), ("b", "validation"), ("c", "test"), ("d", "train")])

    assert counts(some, assign("toy", some, {}, grow_test=False)) == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }


def test_an_image_without_a_choice_follows_its_group():
    some = members([("a", "test"), ("a", None), ("b", "train"), ("c", "validation")])

    assert assign("toy", some, {}, grow_test=False)["a"] == "test"


def test_too_few_groups_are_split_image_by_image_and_said():
    some = groups({"one": 40})
    assigned = assign("toy", some, {}, grow_test=False)

    assert set(counts(some, assigned)) == set(SPLITS)
    assert set(assigned) == {image_key(member.sha256) for member in some}
    assert shared_groups(some, assigned) == {"one": "too_few_groups"}


def test_a_group_that_its_owner_split_is_said():
    some = members([("a", "train"), ("a", "test"), ("b", "validation")])

    assert shared_groups(some, assign("toy", some, {}, grow_test=False)) == {"a": "owner"}
