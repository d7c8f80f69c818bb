"""Plan, launch and store a training, or fetch the stored result of an identical one."""

import shutil
from pathlib import Path

from components.shared.contracts.absence import absence, mark_absent
from components.shared.contracts.model import RegisteredLayout, TrainedInfo, TrainedLayout
from components.shared.contracts.policy.training import TrainingPolicy
from components.shared.contracts.progress import log_progress
from components.shared.contracts.report import precision_text
from components.shared.contracts.snapshot import SnapshotInfo, SnapshotLayout
from components.shared.network.architecture import fits
from components.shared.store.objects import Objects
from components.training.train_detector.launchers.choose import Launcher
from components.training.train_detector.launchers.outcome import TrainingError
from components.training.train_detector.plan.plan import POLICY, Plan, plan_training, write_plan
from components.training.train_detector.plan.settings import TrainingSettings
from components.training.train_detector.worker.training_store import TrainingStore

SKIPPED = "skipped: the same snapshot, code, settings and seed were trained before"


def train(
    snapshot: Path,
    champion: Path,
    trained: Path,
    settings: TrainingSettings,
    objects: Objects,
    launch: Launcher,
    policy: TrainingPolicy = POLICY,
) -> TrainedInfo | None:
    """Write a trained model to a folder, or the reason why there is none.

    Args:
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`.
        champion: Laid out as `contracts.model.RegisteredLayout`, or absent.
        trained: The folder to fill, as `contracts.model.TrainedLayout`.
        settings: Hyperparameters.
        objects: Holds the snapshot's shards, and finished trainings by fingerprint.
        launch: Starts the workers.
        policy: Decides the epochs, where the settings leave them open.

    Returns:
        What was trained, or None if the model is absent on purpose.
    """
    fine_tuned = settings.start == "champion"
    if fine_tuned and (reason := nothing_to_fine_tune(champion, snapshot)):
        mark_absent(trained, reason)
        log_progress(f"skipped: {reason}")
        return None
    start = champion if fine_tuned else None
    plan = plan_training(snapshot, start, settings, policy)
    store = TrainingStore(objects, plan.fingerprint)
    work = trained.with_name(f"{trained.name}.work")
    if store.complete():
        log_progress(SKIPPED)
    else:
        write_plan(plan, snapshot, start, work)
        _launch(plan, work, store, launch)
    store.delete_intermediate()
    store.fetch_outcome(trained)
    info = TrainedInfo.read(TrainedLayout(trained).info)
    return _said(info)


def _said(info: TrainedInfo) -> TrainedInfo:
    score = precision_text(info.validation_map50)
    log_progress(f"validation mAP50 {score}, best epoch {info.best_epoch}")
    return info


def numbers_of(info: TrainedInfo | None) -> dict[str, float]:
    """Return the metrics of a training for the dashboard; none for an absent model."""
    if info is None:
        return {}
    numbers = {"validation_map50": info.validation_map50, "best_epoch": info.best_epoch}
    return {name: number for name, number in numbers.items() if number is not None}


def nothing_to_fine_tune(champion: Path, snapshot: Path) -> str | None:
    """Return why fine-tuning would learn nothing new, or None if it would.

    Args:
        champion: Folder of the champion's package.
        snapshot: Folder of the snapshot.
    """
    if absence(champion):
        return "there is no champion yet"
    info = TrainedInfo.read(TrainedLayout(RegisteredLayout(champion).trained).info)
    if info.lineage.snapshot == SnapshotInfo.read(SnapshotLayout(snapshot).info).id:
        return "the champion has already learned from this snapshot"
    if not fits(info.network):
        return "the champion has another network architecture, so its weights do not fit"
    return None


def _launch(plan: Plan, work: Path, store: TrainingStore, launch: Launcher) -> None:
    workers = plan.settings.workers
    log_progress(
        f"{plan.info.size} network, {plan.info.image_width}x{plan.info.image_height} pixels, "
        f"{plan.epochs} epochs, {workers} worker{'s' if workers > 1 else ''}"
    )
    launch(work, plan, store.objects)
    if not store.complete():
        raise TrainingError("the workers succeeded, but their result is not in the object store")
    shutil.rmtree(work)
