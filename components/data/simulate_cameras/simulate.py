"""Draw the frames of simulated cameras and send them in order, deterministically.

The same settings give the same bytes in the same order.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from multiprocessing import get_context, parent_process
from threading import Thread

import numpy as np

from components.data.simulate_cameras.camera import HEIGHT, WIDTH
from components.data.simulate_cameras.conditions import HOURS, Condition, light_of, read_conditions
from components.data.simulate_cameras.render import LABEL, render
from components.data.simulate_cameras.scene import scene_on
from components.data.simulate_cameras.stage import stage_of
from components.shared.contracts.errors import UserError
from components.shared.contracts.progress import follow
from components.shared.store.frames import Frame, FrameSender
from components.shared.vision.jpeg import encode_jpeg

QUALITY = 85
FRAMES_A_TASK = 12
PROGRESS_S = 2.0
CLASSES = (LABEL,)


@dataclass(frozen=True, kw_only=True)
class SimulatorConfig:
    """Settings of a simulation.

    Attributes:
        frames: Number of frames of all cameras together.
        cameras: How many there are; each looks at a place of its own.
        days: Number of days.
        first_day: The first of them.
        conditions: One is drawn for each frame.
        seed: Decides the places and all that happens there.
        labelled: Whether the boxes are sent too.
    """

    frames: int = 600
    cameras: int = 8
    days: int = 3
    first_day: date = date(2026, 1, 5)
    conditions: tuple[Condition, ...] = ("day", "dusk")
    seed: int = 0
    labelled: bool = True

    @classmethod
    def of(
        cls,
        frames: int,
        cameras: int,
        days: int,
        first_day: str,
        conditions: str,
        seed: int,
        labelled: bool,
    ) -> "SimulatorConfig":
        """Parse the settings of the component's parameters.

        Args:
            frames: Number of frames of all cameras and days, at least 1.
            cameras: Number of cameras, at least 1.
            days: Number of days, at least 1.
            first_day: Date in ISO 8601.
            conditions: Names of conditions, with commas between them.
            seed: Seed of all that is random, at least 0.
            labelled: Whether frames are sent with boxes.

        Raises:
            UserError: If there is no such day, condition or number.
        """
        try:
            day = date.fromisoformat(first_day)
        except ValueError as cause:
            raise UserError(f"first_day is {first_day!r}, expected a date as 2026-01-05") from cause
        return cls(
            frames=frames,
            cameras=cameras,
            days=days,
            first_day=day,
            conditions=read_conditions(conditions),
            seed=seed,
            labelled=labelled,
        )

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        for name in ("frames", "cameras", "days"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}, expected at least 1")
        if self.seed < 0:
            raise UserError(f"seed is {self.seed}, expected at least 0")


@dataclass(frozen=True, order=True)
class Shot:
    """Frame `number` of `of` of a camera on a day, counted from 0."""

    day: int
    camera: int
    number: int
    of: int


def shots(config: SimulatorConfig) -> list[Shot]:
    """Spread the frames evenly over days and cameras, in the order they are taken."""
    groups = [(day, camera) for day in range(config.days) for camera in range(config.cameras)]
    least, more = divmod(config.frames, len(groups))
    return [
        Shot(day, camera, number, least + (place < more))
        for place, (day, camera) in enumerate(groups)
        for number in range(least + (place < more))
    ]


def draw(config: SimulatorConfig, shot: Shot) -> Frame:
    """Render one frame.

    Args:
        config: The settings.
        shot: Camera, day and number of the frame.
    """
    today = config.first_day + timedelta(days=shot.day)
    key = (config.seed, shot.camera, today.toordinal())
    rng = np.random.default_rng([*key, shot.number])
    condition = config.conditions[int(rng.integers(len(config.conditions)))]
    hour = _hour(condition, (shot.number + float(rng.random())) / shot.of)
    stage = stage_of(*key)
    light = light_of(condition, hour, rng)
    picture, boxes = render(stage, scene_on(stage, light, rng), rng)
    captured_at = datetime.combine(today, time(), UTC) + timedelta(seconds=round(hour * 3600))
    name = stage.site.name
    return Frame(
        jpeg=encode_jpeg(picture, QUALITY),
        width=WIDTH,
        height=HEIGHT,
        camera=name,
        captured_at=captured_at,
        source_name=f"{name}-{captured_at:%Y%m%d-%H%M%S}-{shot.number:04d}-{condition}.jpg",
        group=f"{name}/{today.isoformat()}",
        boxes=boxes if config.labelled else None,
    )


def simulate(config: SimulatorConfig, sender: FrameSender) -> int:
    """Draw all frames and send them in order.

    Args:
        config: The settings.
        sender: Sends frames as events.

    Returns:
        How many boxes were sent with them.
    """
    sender.declare(CLASSES, datetime.combine(config.first_day, time(), UTC))
    progress, boxes = follow(config.frames, "frames", PROGRESS_S), 0
    for done, frame in enumerate(drawn(config), start=1):
        sender.send(frame)
        boxes += len(frame.boxes or ())
        progress(done)
    return boxes


def drawn(config: SimulatorConfig) -> Iterator[Frame]:
    """Yield all frames in order, rendered on all cores."""
    waiting, make = shots(config), partial(draw, config)
    workers = min(os.cpu_count() or 1, len(waiting) // FRAMES_A_TASK)
    if workers < 2:
        yield from map(make, waiting)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _end_with_parent) as pool:
        yield from pool.map(make, waiting, chunksize=FRAMES_A_TASK)


def _end_with_parent() -> None:
    """Leave when the parent is gone, even if it was killed and could not say so."""
    Thread(target=_outlive_nobody, daemon=True).start()


def _outlive_nobody() -> None:
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _hour(condition: Condition, share: float) -> float:
    start, end = HOURS[condition]
    return start + share * (end - start)
