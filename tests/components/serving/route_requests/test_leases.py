import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serving.route_requests.leases import MAX_LEASE_S, Leases
from components.shared.inference.package_store import TrafficLease


class Clock:
    """A clock that can be set, and a counter that cannot."""

    def __init__(self):
        self.now, self.count = 1_000_000.0, 50.0
        self.leases = Leases(lambda: self.now, lambda: self.count)

    def passes(self, seconds):
        self.now, self.count = self.now + seconds, self.count + seconds

    def percent(self, share):
        return self.leases.percent("toys", share)


def lent(clock, seconds=15.0):
    return TrafficLease(percent=25, model="b" * 64, until=clock.now + seconds)


def test_a_share_is_in_force_until_its_time_is_over():
    clock = Clock()
    share = lent(clock)
    before = clock.percent(share)
    clock.passes(15)

    assert (before, clock.percent(share)) == (25, 0)


@given(st.floats(0, 60), st.floats(-1e6, 1e6))
def test_a_share_that_is_over_stays_over_however_the_clock_is_set(seconds, step):
    clock = Clock()
    share = lent(clock)
    clock.percent(share)
    clock.passes(15 + seconds)
    over = clock.percent(share)
    clock.now += step

    assert (over, clock.percent(share)) == (0, 0)


def test_a_clock_that_is_set_back_makes_no_share_last_longer():
    clock = Clock()
    share = lent(clock)
    clock.percent(share)
    clock.now -= 3600
    clock.passes(15)

    assert clock.percent(share) == 0


@pytest.mark.parametrize("seconds", [-1.0, MAX_LEASE_S + 1])
def test_a_share_that_no_deployment_lends_is_none(seconds):
    clock = Clock()

    assert clock.percent(lent(clock, seconds)) == 0


def test_a_share_that_is_renewed_begins_anew():
    clock = Clock()
    clock.percent(lent(clock))
    clock.passes(20)

    assert clock.percent(lent(clock)) == 25


def test_without_a_share_there_is_no_percent():
    assert Clock().percent(None) == 0
