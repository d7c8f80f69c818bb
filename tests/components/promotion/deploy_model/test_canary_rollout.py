"""Whole rollouts against a place in memory, on a clock that jumps."""

from itertools import pairwise

import pytest

from components.promotion.deploy_model.canary import CanaryRollout
from components.promotion.deploy_model.pictures import ProbeImages
from components.promotion.deploy_model.prober import GuardBreachError, Prober
from components.promotion.deploy_model.target import ServerUnreachableError
from tests.support.fake_rollout_target import CANDIDATE, CARS, GOLDEN, POLICY, Place, car, trial


def sent_back(place):
    """Why a candidate is sent back, at which share, and seconds since it got that share."""
    rolling = trial(place)
    with pytest.raises(GuardBreachError) as breach:
        rolling.run(POLICY.steps)
    since = min((at for at, percent in place.shares if percent == place.percent), default=0)
    return str(breach.value), place.percent, place.hours.time - since


def steps(observations):
    return list(dict.fromkeys(observation.percent for observation in observations))


@pytest.mark.parametrize("rate", [50, 0], ids=["by day", "in a night without traffic"])
def test_a_good_candidate_goes_through_every_step_in_its_time(rate):
    place = Place(rate)
    rolling = trial(place)

    rolling.run(POLICY.steps)

    assert steps(rolling.observations) == [0, 5, 25, 100]
    assert 3 * 60 <= place.hours.time <= 3 * 60 + 10


def test_each_look_renews_the_share():
    place = Place()
    trial(place).run(POLICY.steps)

    times = [at for at, _ in place.shares]

    assert max(b - a for a, b in pairwise(times)) < 2


def test_a_step_waits_until_the_candidate_has_answered_enough():
    place = Place(rate=0)
    few = POLICY.model_copy(update={"min_step_s": 1.0, "min_requests": 30})
    pictures = ProbeImages(GOLDEN, [b"live"], 0.25)
    prober = Prober(place, "toys", CANDIDATE, pictures, True, place.hours.clock.now)

    CanaryRollout(prober, few, place.hours.clock).run((0, 5))

    assert 8 <= place.hours.time <= 9  # four answers a second


@pytest.mark.parametrize("share", [5, 25, 100])
@pytest.mark.parametrize("rate", [50, 0], ids=["by day", "in a night without traffic"])
def test_a_candidate_that_fails_is_sent_back_within_seconds(rate, share):
    place = Place(rate)
    place.fails_from = share

    reason, percent, seconds = sent_back(place)

    assert percent == share
    assert "requests failed, expected at most 1%" in reason
    assert seconds <= 3


def test_a_candidate_that_fails_in_the_dark_never_gets_a_request():
    place = Place()
    place.fails_from = 0

    reason, percent, _ = sent_back(place)

    assert "no answer for golden/0.jpg: HTTP 500" in reason
    assert (percent, place.shares) == (0, [])


def test_a_candidate_that_does_not_come_up_is_sent_back():
    place = Place()
    place.ready = False

    assert "it does not become ready: not ready after 300 s" in sent_back(place)[0]


def test_a_candidate_that_alone_is_not_reached_is_sent_back():
    place = Place()

    def gone(jpeg):
        if jpeg == b"client":
            return CARS
        raise ServerUnreachableError("no candidate server answers")

    place.fault = gone

    assert "no answer for golden/0.jpg: no candidate server answers" in sent_back(place)[0]


def test_a_front_door_that_is_down_from_the_start_convicts_no_candidate():
    place = Place()
    place.there = False

    with pytest.raises(ServerUnreachableError, match="no reverse proxy answers"):
        trial(place).run(POLICY.steps)


@pytest.mark.parametrize("moment", ["while it comes up", "at a golden picture", "in traffic"])
def test_a_front_door_that_goes_down_convicts_no_candidate(moment):
    place = Place()

    def gone(*_):
        place.there = False
        place.request_metrics("toys", "stable")

    if moment == "while it comes up":
        place.start = gone
    else:
        traffic = moment == "in traffic"
        place.fault = lambda jpeg: (
            gone() if jpeg == b"golden" and bool(place.percent) == traffic else CARS
        )

    with pytest.raises(ServerUnreachableError, match="no reverse proxy answers"):
        trial(place).run(POLICY.steps)


def test_a_candidate_that_answers_golden_pictures_otherwise_is_sent_back():
    place = Place()
    place.fault = lambda jpeg: (car(4), car(24))

    assert "golden/0.jpg is answered differently" in sent_back(place)[0]


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ((car(6), car(26)), "100% of the champion's"),
        ((), "100% of the champion's"),
        (tuple(car(6 * n) for n in range(40)), "boxes an image on"),
        ((car(0, 0.3), car(20, 0.3)), "mean score "),
    ],
    ids=["shifted", "blind", "everywhere", "unsure"],
)
def test_a_candidate_that_lies_but_on_golden_pictures_is_sent_back_in_the_dark(boxes, words):
    place = Place()
    place.fault = lambda jpeg: CARS if jpeg == b"golden" else boxes

    reason, percent, _ = sent_back(place)

    assert words in reason
    assert percent == 0


def test_a_candidate_that_lies_to_clients_alone_is_sent_back_soon():
    place = Place()
    place.fault = lambda jpeg: () if jpeg == b"client" else CARS

    reason, percent, seconds = sent_back(place)

    assert "client images" in reason
    assert percent == 5
    assert seconds <= 30


@pytest.mark.parametrize("rate", [50, 0], ids=["by day", "in a night without traffic"])
def test_a_candidate_that_begins_to_err_in_traffic_is_sent_back_soon(rate):
    place = Place(rate)
    moved = (car(6), car(26))
    place.fault = lambda jpeg: moved if place.percent == 25 and jpeg != b"golden" else CARS

    reason, percent, seconds = sent_back(place)

    assert "boxes missing" in reason
    assert percent == 25
    assert seconds <= 3


def test_a_model_that_served_before_is_not_measured_by_the_champion_that_it_replaces():
    place = Place()
    place.fault = lambda jpeg: CARS if jpeg == b"golden" else ()

    trial(place, with_champion=False).run((0, 100))

    assert place.percent == 100


def test_without_live_pictures_the_golden_ones_stand_in():
    place = Place()
    pictures = ProbeImages(GOLDEN, [known.jpeg for known in GOLDEN], 0.25)
    prober = Prober(place, "toys", CANDIDATE, pictures, True, place.hours.clock.now)

    CanaryRollout(prober, POLICY, place.hours.clock).run((0,))

    assert prober.compared.pictures == len(GOLDEN)
