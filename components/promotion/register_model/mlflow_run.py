"""Log a registered model to the MLflow run of its training: tags, version and model card."""

from pathlib import Path

from components.promotion.register_model.register import Candidate
from components.shared.contracts.model import PackageInfo, PackageLayout, RegisteredLayout
from components.shared.store.registry import Version
from components.shared.store.tracking import Tracked


def mlflow_run(candidate: Candidate, version: Version, card: Path) -> Tracked:
    """Return tags and files for the MLflow run of the training.

    Args:
        candidate: The winner that was registered.
        version: Its version.
        card: File of its model card.
    """
    lineage = PackageInfo.read(PackageLayout(candidate.package).info).lineage
    tags = {
        "model": version.model,
        "version": str(version.version),
        "mlflow.note.content": candidate.reason,
    }
    return Tracked(lineage, tags=tags, files={f"card/{RegisteredLayout('').card.name}": card})
