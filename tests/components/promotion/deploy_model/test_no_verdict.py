"""What happens to the place, or to both sides alike, is no verdict on a candidate."""

import pytest

from components.promotion.deploy_model.canary import CanaryRollout
from components.promotion.deploy_model.latency_recheck import InconclusiveLatencyError
from components.promotion.deploy_model.pictures import ProbeImages
from components.promotion.deploy_model.prober import GuardBreachError, Prober
from components.shared.contracts.errors import OutageError
from components.shared.contracts.policy import RolloutPolicy
from tests.support.fake_rollout_target import CANDIDATE, CARS, GOLDEN, Place, trial

POLICY = RolloutPolicy()


class Busy(Place):
    """A place whose answers take as long as a function of time and side says."""

    def __init__(self, seconds):
        super().__init__()
        self._seconds = seconds

    def detect(self, dataset, jpeg, track):
        self.slow = self.stable_slow = self._seconds(self.hours.time, track, self.percent)
        return super().detect(dataset, jpeg, track)


@pytest.mark.parametrize("seconds", [0.06, 1.5])
def test_a_slow_candidate_is_held_back_in_the_dark_after_a_second_look_at_both_sides(seconds):
    place = Place()
    place.slow = seconds
    rolling = trial(place)

    with pytest.raises(InconclusiveLatencyError, match=r"at 0 %: latency .*, in two measurements"):
        rolling.run(POLICY.steps)
    evidence = rolling.observations[-1].evidence

    assert place.percent == 0
    assert min(len(evidence.latencies_ms), len(evidence.champion_ms)) >= POLICY.min_latency_answers


def test_a_candidate_that_becomes_slow_in_traffic_is_held_back_soon():
    place = Busy(lambda _, track, percent: 0.2 if track == "candidate" and percent == 5 else 0.01)
    rolling = trial(place)

    with pytest.raises(InconclusiveLatencyError, match="at 5 %"):
        rolling.run(POLICY.steps)

    assert place.hours.time <= 40


def test_a_node_that_is_busy_for_both_sides_holds_no_candidate_back():
    place = Busy(lambda time, track, percent: 0.5 if time % 7 < 5 else 0.01)
    rolling = trial(place)

    rolling.run(POLICY.steps)

    assert place.percent == 100


def test_a_candidate_that_was_slow_for_some_seconds_goes_on_after_a_second_look():
    place = Busy(lambda time, track, _: 0.2 if track == "candidate" and 20 < time < 24 else 0.01)
    rolling = trial(place)

    rolling.run(POLICY.steps)

    assert place.percent == 100


def test_a_second_look_that_needs_more_answers_than_usual_comes_to_an_end():
    many = POLICY.model_copy(update={"min_latency_answers": 100})
    place = Busy(lambda time, track, _: 0.2 if track == "candidate" and 20 < time < 24 else 0.01)
    slow = Place()
    slow.slow = 0.06

    trial(place, policy=many).run(POLICY.steps)
    rolling = trial(slow, policy=many)
    with pytest.raises(InconclusiveLatencyError, match="in two measurements"):
        rolling.run(POLICY.steps)

    assert place.percent == 100
    assert len(rolling.observations[-1].evidence.latencies_ms) == 100


def test_a_first_model_without_a_champion_is_only_measured_by_itself():
    place = Place()
    place.slow = 1.5
    pictures = ProbeImages(GOLDEN, [b"live %d" % number for number in range(16)], 0.25)
    prober = Prober(place, "toys", CANDIDATE, pictures, False, place.hours.clock.now)

    with pytest.raises(InconclusiveLatencyError, match="expected at most 1000 ms"):
        CanaryRollout(prober, POLICY, place.hours.clock).run((0,))


def test_a_ramp_waits_where_it_is_while_the_champion_does_not_answer(capsys):
    place, away = Place(), range(80, 115)
    detect = place.detect

    def probes(dataset, jpeg, track):
        place.stable_there = int(place.hours.time) not in away
        return detect(dataset, jpeg, track)

    place.detect = probes
    trial(place).run(POLICY.steps)
    shares = dict(reversed([(percent, at) for at, percent in place.shares]))

    assert shares[100] - shares[25] >= 60 + 35
    assert "the rollout waits: the champion does not answer" in capsys.readouterr().out


def away(place, absent):
    """Let the champion answer only while a function of the seconds does not say it is away."""
    detect = place.detect

    def probes(dataset, jpeg, track):
        place.stable_there = not absent(place.hours.time)
        return detect(dataset, jpeg, track)

    place.detect = probes


def test_a_champion_that_flaps_holds_a_ramp_up_by_the_time_that_it_is_away():
    place = Place()
    away(place, lambda seconds: seconds > 20 and seconds % 30 < 10)

    trial(place).run(POLICY.steps)

    assert place.percent == 100
    assert 3 * 60 < place.hours.time <= 3 * 60 * 3 / 2 + 20


@pytest.mark.parametrize("slow", [False, True])
def test_a_champion_that_goes_when_the_candidate_has_every_request_does_not_hold_it_up(
    slow, capsys
):
    place = Busy(lambda time, *_: 1.5 if slow and 140 < time < 144 else 0.01)
    away(place, lambda _: place.percent == 100)
    rolling = trial(place)

    rolling.run(POLICY.steps)

    assert place.percent == 100
    assert place.hours.time <= 3 * 60 + 10 + (60 if slow else 0)
    assert ("measuring both servers again" in capsys.readouterr().out) == slow


def test_a_champion_that_stays_away_ends_the_rollout_without_a_verdict():
    place = Place()
    place.stable_there = False

    with pytest.raises(OutageError, match=r"the champion does not answer.*try again when it does"):
        trial(place).run(POLICY.steps)

    assert place.percent == 0


def test_a_candidate_whose_server_is_drained_in_traffic_is_not_convicted():
    place = Place()
    place.fault = lambda _: setattr(place, "drained", place.percent == 25) or CARS

    with pytest.raises(OutageError, match="pod cars-1 was deleted: try again"):
        trial(place).run(POLICY.steps)


def test_a_candidate_whose_server_is_drained_at_a_golden_picture_is_not_convicted():
    place = Place()
    place.drained = True

    with pytest.raises(OutageError, match="pod cars-1 was deleted: try again"):
        trial(place).run(POLICY.steps)


def test_where_neither_side_answers_the_candidate_is_not_to_blame():
    place = Place()

    def gone(jpeg):
        if jpeg != b"client" and place.percent == 25:
            place.stable_there = False
            place.fails_from = 25
        return CARS

    place.fault = gone

    with pytest.raises(OutageError, match="neither server answers: no stable server answers"):
        trial(place).run(POLICY.steps)


def gone(place, *sides):
    """Let a place have no package for some sides."""
    detect = place.detect
    place.detect = lambda dataset, jpeg, track: (
        None if track in sides else detect(dataset, jpeg, track)
    )


def test_a_candidate_that_was_taken_away_before_a_golden_picture_is_not_convicted():
    place = Place()
    gone(place, "candidate")
    place.disruption = lambda dataset: "the candidate predictor: pod cars-1 is gone"

    with pytest.raises(OutageError, match="pod cars-1 is gone: try again"):
        trial(place).run(POLICY.steps)


def test_where_nothing_answers_for_the_dataset_on_either_side_the_candidate_is_not_to_blame():
    place = Place()
    gone(place, "candidate", "stable")

    with pytest.raises(
        OutageError, match="neither server answers: nothing answers for the dataset"
    ):
        trial(place).run(POLICY.steps)


def test_a_server_that_says_it_has_a_package_and_has_none_is_to_blame():
    place = Place()
    gone(place, "candidate")

    with pytest.raises(GuardBreachError, match=r"no model answered golden/0\.jpg, expected d{12}"):
        trial(place).run(POLICY.steps)
