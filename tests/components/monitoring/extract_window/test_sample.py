import itertools

from hypothesis import given
from hypothesis import strategies as st

from components.monitoring.extract_window.sample import evenly

SIZES = st.integers(1, 300)


@given(count=SIZES, most=SIZES)
def test_a_sample_is_as_large_as_it_may_be_and_keeps_the_order(count, most):
    chosen = evenly(range(count), most)

    assert len(chosen) == min(count, most)
    assert chosen == sorted(set(chosen))


@given(count=SIZES, most=SIZES)
def test_the_gaps_of_a_sample_differ_by_at_most_one(count, most):
    chosen = [*evenly(range(count), most), count]
    gaps = {after - before for before, after in itertools.pairwise(chosen)}

    assert max(gaps) - min(gaps) <= 1


def test_a_sample_of_nothing_is_nothing():
    assert evenly([], 5) == []
