"""Plan a training: all inputs of the workers, and the fingerprint that identifies the outcome."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from pydantic import Field

from components.shared.contracts.errors import UserError
from components.shared.contracts.model import (
    Lineage,
    PackageInfo,
    PackageLayout,
    RegisteredLayout,
    TrainedInfo,
    TrainedLayout,
)
from components.shared.contracts.policy.training import TrainingPolicy
from components.shared.contracts.record import Record, digest_of, read_lines
from components.shared.contracts.snapshot import SnapshotImage, SnapshotInfo, SnapshotLayout
from components.shared.network.architecture import ARCHITECTURE
from components.training.train_detector.plan.fingerprint import code_digest
from components.training.train_detector.plan.settings import CELL, MAX_BOXES, TrainingSettings

POLICY = TrainingPolicy()


class Plan(Record):
    """One training, ready to start: the same in every worker."""

    settings: TrainingSettings
    epochs: int
    info: TrainedInfo = Field(description="what will be written, but for the outcome")

    @property
    def fingerprint(self) -> str:
        """Return the digest of everything that decides the outcome."""
        return self.info.lineage.fingerprint


class PlanLayout:
    """Input files of a worker, beside the shards in the object store, and its output files."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.plan = self.root / "plan.json"
        self.snapshot = self.root / "snapshot"  # without its shards
        self.warm = self.root / "warm"  # `TrainedLayout` to begin with; of fine-tuning alone
        self.trained = self.root / "trained"  # `TrainedLayout` that the chief fills


def plan_training(
    snapshot: Path,
    champion: Path | None,
    settings: TrainingSettings,
    policy: TrainingPolicy = POLICY,
) -> Plan:
    """Decide everything that settings leave open.

    Args:
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`.
        champion: `RegisteredLayout` folder to start from; None starts from scratch.
        settings: What a person chose. Fine-tuning keeps the size of the champion.
        policy: Decides the epochs, where a person left them open.

    Raises:
        UserError: If a split that training needs is empty, or the batch does not divide.
    """
    info = SnapshotInfo.read(SnapshotLayout(snapshot).info)
    _check(info, settings)
    images = read_lines(SnapshotImage, SnapshotLayout(snapshot).manifest)
    if not learnable([image for image in images if image.split == "train"]):
        crowded = f"every train image of snapshot {info.id[:12]} has more than {MAX_BOXES:,} boxes"
        raise UserError(f"{crowded}, expected one with fewer")
    width, height = input_size(images, settings.image_size)
    warm = RegisteredLayout(champion).trained if champion else None
    decided = _with_epochs(settings, info, policy, fine_tuned=champion is not None)
    return Plan(
        settings=decided,
        epochs=decided.epochs,
        info=TrainedInfo(
            lineage=lineage_of(info, champion, decided),
            classes=info.classes,
            image_width=width,
            image_height=height,
            size=TrainedInfo.read(TrainedLayout(warm).info).size if warm else settings.size,
            best_epoch=0,
            validation_map50=None,
            network=ARCHITECTURE,
        ),
    )


def _with_epochs(
    settings: TrainingSettings, info: SnapshotInfo, policy: TrainingPolicy, *, fine_tuned: bool
) -> TrainingSettings:
    """Return settings with a number of epochs, which is in the fingerprint whoever decided it."""
    epochs = settings.epochs or policy.epochs(info.images["train"], fine_tuned=fine_tuned)
    return settings.model_copy(update={"epochs": epochs})


def write_plan(plan: Plan, snapshot: Path, champion: Path | None, folder: Path) -> None:
    """Write the input files of workers to a folder, replacing its content.

    Args:
        plan: The plan of the training.
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`.
        champion: `RegisteredLayout` folder to start from, or None.
        folder: Filled as `PlanLayout`.
    """
    layout, source = PlanLayout(folder), SnapshotLayout(snapshot)
    shutil.rmtree(folder, ignore_errors=True)
    layout.snapshot.mkdir(parents=True)
    for file in (source.info, source.manifest, source.index):
        if file.exists():
            shutil.copyfile(file, layout.snapshot / file.name)
    if champion:
        shutil.copytree(RegisteredLayout(champion).trained, layout.warm)
    plan.write(layout.plan)


def _check(info: SnapshotInfo, settings: TrainingSettings) -> None:
    for split in ("train", "validation"):
        if not info.images.get(split):
            raise UserError(f"snapshot {info.id[:12]} has no {split} images, expected at least one")
    settings.check_workers()


def lineage_of(info: SnapshotInfo, champion: Path | None, settings: TrainingSettings) -> Lineage:
    """Return the lineage of a model, and its digest.

    Args:
        info: Description of the snapshot.
        champion: Package to start from; None for random weights.
        settings: Hyperparameters.
    """
    package = PackageLayout(RegisteredLayout(champion).package) if champion else None
    made_from = {
        "dataset": info.dataset,
        "snapshot": info.id,
        "code": code_digest(),
        "settings": settings.model_dump(exclude={"seed", "start"}),
        "seed": settings.seed,
        "start": PackageInfo.read(package.info).digest if package else "scratch",
    }
    return Lineage.model_validate({**made_from, "fingerprint": digest_of(made_from)})


def learnable(images: Sequence[SnapshotImage]) -> list[SnapshotImage]:
    """Return the images with at most `MAX_BOXES` boxes, which limits the memory of a step.

    An image is left out as a whole: what had no box would be learned as background.
    """
    return [image for image in images if len(image.boxes) <= MAX_BOXES]


def input_size(images: Sequence[SnapshotImage], image_size: int) -> tuple[int, int]:
    """Return width and height of the network's input in pixels.

    The long side is `image_size`; the other is the smallest multiple of 32 that holds
    the median picture.

    Args:
        images: Images of the snapshot.
        image_size: Longer side of the input in pixels.

    >>> from types import SimpleNamespace
    >>> input_size([SimpleNamespace(width=640, height=480)], 320)
    (320, 256)
    """
    if image_size % CELL:
        raise UserError(f"image size is {image_size}, expected a multiple of {CELL}")
    aspect = median(image.width / image.height for image in images)
    short = image_size * min(aspect, 1 / aspect)
    other = -(-round(short) // CELL) * CELL
    return (image_size, other) if aspect >= 1 else (other, image_size)


def check_code(plan: Plan) -> None:
    """Refuse a plan whose fingerprint was made by other code."""
    digest, planned = code_digest(), plan.info.lineage.code
    if digest != planned:
        raise UserError(
            f"this worker's code has digest {digest[:12]}, expected {planned[:12]} as the plan "
            "says: workers and launcher must run the same image"
        )
