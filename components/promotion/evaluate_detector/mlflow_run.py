"""Log the metrics and pages of a comparison to the MLflow runs of the candidates' trainings."""

from collections.abc import Mapping
from pathlib import Path

from components.shared.contracts.model import PackageInfo, PackageLayout, RegisteredLayout
from components.shared.contracts.report import ModelReport, Report, Role
from components.shared.store.tracking import Tracked

COSTS = ("latency_ms_p50", "latency_ms_p95", "size_bytes", "memory_mb")


def mlflow_run(
    report: Report, packages: Mapping[Role, str], written: str, page: str
) -> list[Tracked]:
    """Return metrics and files for the MLflow run of each candidate's training.

    The run of the champion got its own when it was a candidate.

    Args:
        report: The comparison.
        packages: Folders of the candidates by role, each a `PackageLayout`, or absent.
        written: File of the report.
        page: File of the comparison page.
    """
    models = {model.model: model for model in report.models if model.role in packages}
    report_file = RegisteredLayout("").report.name
    infos = [PackageInfo.read(PackageLayout(packages[one.role]).info) for one in models.values()]
    return [
        Tracked(
            info.lineage,
            metrics={0: _numbers(report.split, models[info.digest])},
            files={f"evaluation/{report_file}": Path(written), "evaluation/page.html": Path(page)},
        )
        for info in infos
    ]


def _numbers(split: str, model: ModelReport) -> dict[str, float]:
    """Return the metrics of a model that are defined, prefixed with the split."""
    costs = {name: getattr(model, name) for name in COSTS}
    numbers = {**model.measurable, **costs}
    return {f"{split}/{name}": value for name, value in numbers.items() if value is not None}
