"""Scenes drawn by chance, and what detectors of a given skill make of them."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.snapshot import SnapshotImage


@dataclass(frozen=True)
class Skill:
    """How good a detector is: share of objects found, shake by side, false alarms an image."""

    recall: float = 0.75
    shake: float = 0.08
    false_alarms: float = 2.0


EQUAL = Skill()
BETTER = Skill(recall=0.85)


def scenes(random, count, cameras=1, classes=("car",)):
    return [
        SnapshotImage(
            sha256=f"{number:064x}", width=640, height=480, camera=f"camera {number % cameras}",
            group="g", split="test", captured_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
            source_name=f"{number}.jpg",
            boxes=tuple(box(random, classes) for _ in range(random.integers(1, 9))),
        )
        for number in range(count)
    ]  # fmt: skip


def box(random, classes=("car",), least=20, most=150):
    side = float(np.exp(random.uniform(np.log(least), np.log(most))))
    x, y = random.uniform(0, 640 - side), random.uniform(0, 480 - side)
    label = str(random.choice(classes))
    return Box(x_min=x, y_min=y, x_max=x + side, y_max=y + side, label=label)


def answers(random, images, skill=EQUAL, classes=("car",)):
    """What a detector of a skill says; some of its images are luckier than others."""
    return {image.sha256: tuple(_answer(random, image, skill, classes)) for image in images}


def _answer(random, image, skill, classes):
    luck = random.normal(0, 0.1)
    for there in image.boxes:
        if random.random() < skill.recall + luck:
            yield _shaken(random, there, skill.shake)
    for _ in range(random.poisson(skill.false_alarms)):
        yield _scored(box(random, classes), random.beta(2, 4))


def _shaken(random, there, shake):
    side = there.x_max - there.x_min
    left, top, right, bottom = random.normal(0, shake * side, 4)
    moved = there.model_copy(update={
        "x_min": there.x_min + left, "y_min": there.y_min + top,
        "x_max": max(there.x_max + right, there.x_min + left + 2),
        "y_max": max(there.y_max + bottom, there.y_min + top + 2),
    })  # fmt: skip
    return _scored(moved, random.beta(5, 2))


def _scored(box, score):
    return ScoredBox(**box.model_dump(), score=float(score))
