"""Log a registered model to the MLflow run of its training: tags, version and model card."""

from pathlib import Path

from components.promotion.register_model.register import Candidate
from components.shared.contracts.model import PackageInfo, PackageLayout
from components.shared.store.registry import Version
from components.shared.store.tracking import Tracked


def mlflow_run(candidate: Candidate, version: Version, card: Path) -> Tracked:
    """Return what the model's training is told of it.

    Args:
        candidate: What was registered.
        version: As what.
        card: The file of its model card.
    """
    lineage = PackageInfo.read(PackageLayout(candidate.package).info).lineage
    tags = {
        "model": version.model,
        "version": str(version.version),
        "mlflow.note.content": candidate.reason,
    }
    return Tracked(lineage, tags=tags, files={"card/card.md": card})
