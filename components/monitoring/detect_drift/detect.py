"""Measure drift of a window, and write the report, the drift page and Evidently's page."""

from pathlib import Path

from components.monitoring.detect_drift.evidently_page import write_evidently_page
from components.monitoring.detect_drift.findings import find
from components.monitoring.detect_drift.measure import comparable, measure
from components.monitoring.detect_drift.observe import index_of, observe, read_reference
from components.monitoring.detect_drift.page import write_drift_page
from components.shared.contracts.policy import DriftPolicy
from components.shared.contracts.progress import log_progress
from components.shared.contracts.report import DriftReport
from components.shared.store.objects import Objects
from components.shared.store.snapshots import ImageReader

POLICY = DriftPolicy()


def detect(
    window: str | Path,
    champion: str | Path,
    objects: Objects,
    drift: str | Path,
    page: str | Path,
    evidently: str | Path,
    policy: DriftPolicy = POLICY,
) -> dict[str, float]:
    """Measure drift, and write the report and both pages.

    Args:
        window: Folder of a `WindowLayout` or a `SnapshotLayout`.
        champion: Folder of a `RegisteredLayout`, or of an absent model.
        objects: Object store of the images.
        drift: File of the `DriftReport`.
        page: File of our page.
        evidently: File of Evidently's page.
        policy: Thresholds of drift.

    Returns:
        Numbers for the dashboard, by name.
    """
    current, reference = observe(window, objects, policy), read_reference(champion)
    report, pair = measure(reference, current, policy), comparable(reference, current, policy)
    report = report.model_copy(update={"findings": find(reference, current, policy)})
    report.write(drift)
    reader = ImageReader(index_of(window), objects)
    write_drift_page(page, report, pair, lambda frame: reader.read(frame.sha256))
    write_evidently_page(evidently, report, pair, policy)
    log_progress(report.reason)
    for finding in report.findings:
        log_progress(finding.detail)
    log_progress(_summary(report))
    return _numbers(report)


def _summary(report: DriftReport) -> str:
    if report.suspicious:
        return f"faulty frames: {report.findings[0].detail}"
    if not report.enough:
        return f"too little data: {report.frames:,} frames"
    word = "drift" if report.changed else "no drift"
    return (
        f"{word}: {len(report.drifted)} of {len(report.distances)} descriptors drifted in "
        f"{report.frames:,} frames"
    )


def _numbers(report: DriftReport) -> dict[str, float]:
    distances = {f"distance_{name}": far for name, far in report.distances.items()}
    counts = {"frames": report.frames, "drifted": len(report.drifted)}
    return {**counts, "findings": len(report.findings), **distances}
