from collections import Counter

import pytest

from components.serving.route_requests.traffic_split import TrafficSplit


def taken(percent, requests=2000):
    split = TrafficSplit()
    return [split.candidate("toys", percent) for _ in range(requests)]


@pytest.mark.parametrize("percent", [0, 1, 5, 25, 50, 99, 100])
def test_any_stretch_of_requests_has_its_share_almost_to_the_request(percent):
    split = taken(percent)

    for begin in range(0, 2000, 200):
        assert abs(sum(split[begin : begin + 200]) - 2 * percent) <= 2


@pytest.mark.parametrize("cameras", [2, 3, 4, 5, 20])
def test_cameras_that_send_in_turn_are_met_alike(cameras):
    met = Counter(n % cameras for n, candidate in enumerate(taken(5)) if candidate)

    assert len(met) == cameras
    assert max(met.values()) - min(met.values()) <= 5  # of 5 to 50


def test_datasets_are_counted_apart():
    split = TrafficSplit()
    both = [(split.candidate("a", 25), split.candidate("b", 25)) for _ in range(100)]

    assert all(first == second for first, second in both)
