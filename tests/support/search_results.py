"""What the tasks of a search leave behind, without the trainings."""

from components.shared.contracts.model import Lineage, TrainedInfo
from components.shared.contracts.record import digest_of

DEFAULTS = {"learning_rate": 0.003, "mosaic": 0.5, "size": "pico"}


def info_of(recipe, score=0.5):
    """Return what training by a recipe leaves."""
    settings = {**DEFAULTS, **recipe}
    lineage = Lineage(
        dataset="toys", snapshot="5" * 64, code="c" * 64, settings=settings, seed=0,
        start="scratch", fingerprint=digest_of(settings),
    )  # fmt: skip
    return TrainedInfo(
        lineage=lineage, classes=("car",), image_width=64, image_height=64, size="pico",
        best_epoch=1, validation_map50=score,
    )  # fmt: skip
