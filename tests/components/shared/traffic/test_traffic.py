import math
from itertools import pairwise

from prometheus_client import generate_latest

from components.shared.traffic.metrics import BOUNDS, count
from components.shared.traffic.request_metrics import RequestMetrics
from components.shared.traffic.scrape import request_metrics_of


def tally(side, dataset="counted"):
    return request_metrics_of(generate_latest().decode(), dataset, side)


def test_what_is_counted_is_read_again():
    count("counted", "stable", "ok", 0.012, boxes=3, scores=2.5)
    count("counted", "stable", "error", 2.5)
    count("counted", "stable", "refused", 0.001)
    count("counted", "candidate", "ok", 0.012)

    met = tally("stable")

    assert (met.requests, met.errors, met.boxes, met.scores) == (3, 1, 3, 2.5)
    assert met.latency_range_ms(0.5) == (10.0, 15.0)
    assert tally("candidate").requests == 1


def test_who_was_never_asked_has_met_nothing():
    assert tally("nobody") == RequestMetrics()


def test_a_period_is_the_difference_of_two_looks():
    count("period", "stable", "ok", 0.001, boxes=1, scores=0.5)
    before = tally("stable", "period")
    count("period", "stable", "ok", 0.4, boxes=2, scores=1.5)

    after = tally("stable", "period").since(before)

    assert (after.requests, after.boxes, after.scores) == (1, 2, 1.5)
    assert after.latency_range_ms(0.95) == (300.0, 500.0)


def test_a_server_that_began_anew_is_counted_from_there():
    assert RequestMetrics(requests=2).since(RequestMetrics(requests=9)).requests == 2


def test_two_servers_are_added_up():
    both = RequestMetrics(requests=2, latencies={0.1: 2}) + RequestMetrics(
        requests=1, errors=1, latencies={0.1: 0}
    )

    assert (both.requests, both.errors, both.latencies) == (3, 1, {0.1: 2})


def test_what_took_longer_than_any_bound_is_beyond_the_last():
    late = RequestMetrics(requests=1, latencies={0.1: 0, math.inf: 1})

    assert late.latency_range_ms(0.95) == (100.0, math.inf)


def test_a_doubled_latency_lands_in_a_higher_bucket():
    assert all(high / low <= 3 for low, high in pairwise(BOUNDS))
    assert all(high / low <= 5 / 3 + 1e-9 for low, high in pairwise(BOUNDS[:-2]))
