import numpy as np
import pytest

from components.data.simulate_cameras.conditions import CONDITIONS, HOURS, light_of, read_conditions
from components.shared.contracts.errors import UserError


def light(condition, seed=0):
    return light_of(condition, HOURS[condition][0], np.random.default_rng(seed))


def test_an_unknown_condition_is_refused_with_those_that_are_known():
    with pytest.raises(UserError, match="condition is 'snow', expected some of day, dusk, night"):
        read_conditions("day,snow")


def test_conditions_are_read_in_their_order():
    assert read_conditions("night-rain, day") == ("night-rain", "day")


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_sun_is_never_below_the_ground(condition):
    assert all(light(condition, seed).sun[2] > 0 for seed in range(20))


def test_each_hour_of_the_evening_is_darker():
    gains = [
        np.mean([light(name, seed).gain for seed in range(30)]) for name in ("day", "dusk", "night")
    ]

    assert gains == sorted(gains, reverse=True)


@pytest.mark.parametrize("condition", ["rain", "night-rain"])
def test_rain_is_wet(condition):
    assert light(condition).wet
