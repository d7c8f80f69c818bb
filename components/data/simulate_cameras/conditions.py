"""Convert time of day and weather to the numbers of rendering: light, haze, rain, noise."""

from dataclasses import dataclass, replace
from math import cos, pi, sin
from typing import Literal, get_args

import numpy as np

from components.data.simulate_cameras.camera import Points
from components.shared.contracts.errors import UserError

Condition = Literal["day", "dusk", "night", "rain", "night-rain"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)

HOURS: dict[Condition, tuple[float, float]] = {
    "day": (8.0, 16.0),
    "dusk": (17.0, 18.5),
    "night": (20.0, 23.5),
    "rain": (8.0, 16.0),
    "night-rain": (20.0, 23.5),
}

Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Light:
    """Light and weather on a scene. Gains are factors on its colours in plain daylight.

    Attributes:
        sun: Unit vector towards the sun.
        direct: How much of the light comes straight from it, 0 to 1.
        gain: What is left of each colour, before lamps are counted.
        sky_high: Colour of the sky overhead, 0 to 255.
        sky_low: Colour of the sky at the horizon and of the haze.
        clouds: How much of the sky they cover, 0 to 1.
        haze: How much of the scene it hides at 100 m, 0 to 1.
        lamps: How strongly street lamps burn, 0 to 1.
        headlights: How likely a driver has the lights on.
        wet: Whether it rains.
        noise: Of the sensor, as a standard deviation in levels.
    """

    sun: Points
    direct: float
    gain: Colour
    sky_high: Colour
    sky_low: Colour
    clouds: float
    haze: float
    lamps: float = 0.0
    headlights: float = 0.1
    wet: bool = False
    noise: float = 2.5


def read_conditions(text: str) -> tuple[Condition, ...]:
    """Return the conditions of a comma list.

    Raises:
        UserError: At the first one that no camera can have.

    >>> read_conditions("day, night-rain")
    ('day', 'night-rain')
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in CONDITIONS:
            raise UserError(f"condition is {name!r}, expected some of {', '.join(CONDITIONS)}")
    return tuple(known for name in names for known in CONDITIONS if known == name)


def light_of(condition: Condition, hour: float, rng: np.random.Generator) -> Light:
    """Return the light at an hour of the day, with a random variation for each day.

    Args:
        condition: Weather and time of day.
        hour: Hour of the day, 0 to 24.
        rng: Random numbers of the variation.
    """
    return {"day": _day, "dusk": _dusk, "rain": _rain, "night": _night, "night-rain": _wet_night}[
        condition
    ](hour, rng)


def _sun(hour: float, height: float) -> Points:
    """Return where the sun stands: it rises on the right and sets on the left."""
    azimuth = (hour - 12) / 12 * pi * 1.1
    flat = cos(height)
    return np.array([-sin(azimuth) * flat, cos(azimuth) * flat * 0.6 - 0.35, sin(height)])


def _exposed(colour: Colour, rng: np.random.Generator, spread: float) -> Colour:
    exposure = 1 + rng.uniform(-spread, spread)
    red, green, blue = (value * exposure * (1 + rng.uniform(-0.03, 0.03)) for value in colour)
    return red, green, blue


def _day(hour: float, rng: np.random.Generator) -> Light:
    clouds = float(rng.beta(0.8, 0.8))
    height = 0.35 + 0.65 * sin(pi * (hour - 6) / 12)
    grey = clouds**2
    return Light(
        sun=_sun(hour, height),
        direct=float(np.clip(1.15 - 1.1 * clouds, 0.08, 1.0)),
        gain=_exposed((1.02 - 0.08 * grey, 1.0 - 0.07 * grey, 0.97 - 0.02 * grey), rng, 0.14),
        sky_high=(105 + 65 * grey, 148 + 30 * grey, 204 - 18 * grey),
        sky_low=(198.0, 212.0, 224.0),
        clouds=clouds,
        haze=0.12 + 0.15 * grey,
    )


def _dusk(hour: float, rng: np.random.Generator) -> Light:
    late = (hour - 17) / 1.5
    fire = float(rng.uniform(0.3, 1.0))
    return Light(
        sun=_sun(hour, 0.2 - 0.08 * late),
        direct=0.75 * fire * (1 - 0.7 * late),
        gain=_exposed((0.74 - 0.26 * late, 0.63 - 0.22 * late, 0.60 - 0.12 * late), rng, 0.1),
        sky_high=(78 - 30 * late, 92 - 34 * late, 140 - 38 * late),
        sky_low=(190 + 40 * fire - 60 * late, 140 - 30 * late, 112 - 12 * late),
        clouds=float(rng.uniform(0.2, 0.8)),
        haze=0.16,
        lamps=0.1 + 0.5 * late,
        headlights=0.45 + 0.45 * late,
        noise=4.0,
    )


def _rain(hour: float, rng: np.random.Generator) -> Light:
    return Light(
        sun=_sun(hour, 0.9),
        direct=0.04,
        gain=_exposed((0.66, 0.69, 0.72), rng, 0.12),
        sky_high=(128.0, 134.0, 142.0),
        sky_low=(156.0, 161.0, 167.0),
        clouds=1.0,
        haze=0.45,
        headlights=0.7,
        wet=True,
        noise=4.0,
    )


def _night(hour: float, rng: np.random.Generator) -> Light:
    moon = float(rng.uniform(0.7, 1.3))
    return Light(
        sun=_sun(hour - 10, 0.8),
        direct=0.1,
        gain=(0.115 * moon, 0.13 * moon, 0.185 * moon),
        sky_high=(9.0, 12.0, 24.0),
        sky_low=(34.0, 32.0, 40.0),
        clouds=0.5,
        haze=0.12,
        lamps=1.0,
        headlights=1.0,
        noise=6.0,
    )


def _wet_night(hour: float, rng: np.random.Generator) -> Light:
    dry = _night(hour, rng)
    red, green, blue = dry.gain
    return replace(
        dry,
        gain=(1.6 * red, 1.6 * green, 1.6 * blue),  # a wet street throws the lamps' light about
        clouds=1.0,
        haze=0.3,
        wet=True,
        noise=6.5,
    )
