"""Collect parameters, metrics and files of a training for its MLflow run."""

from pathlib import Path

from components.shared.contracts.model import TrainedInfo, TrainedLayout
from components.shared.contracts.record import read_lines
from components.shared.store.tracking import Tracked, origins
from components.training.train_detector.plan.history import Epoch, scalars


def mlflow_run(trained: Path, info: TrainedInfo | None, curves: Path) -> list[Tracked]:
    """Return the content of a training's MLflow run; nothing for an absent model.

    Args:
        trained: Laid out as `contracts.model.TrainedLayout`.
        info: Description of the trained model; None if it is absent.
        curves: Its page.
    """
    if info is None:
        return []
    layout = TrainedLayout(trained)
    epochs = read_lines(Epoch, layout.history)
    best: dict[str, float] = {"best/epoch": info.best_epoch}
    if info.validation_map50 is not None:
        best["best/map50"] = info.validation_map50
    shape = {"input": f"{info.image_width}x{info.image_height}", "classes": len(info.classes)}
    files = {f"training/{layout.info.name}": layout.info, "training/curves.html": curves}
    if layout.history.exists():
        files[f"training/{layout.history.name}"] = layout.history
    return [
        Tracked(
            info.lineage,
            params={**shape, **origins(info.lineage)},
            metrics={0: best, **scalars(epochs)},
            files=files,
        )
    ]
