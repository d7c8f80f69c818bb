"""A comparison is told to the trainings of its candidates, and of nobody else."""

from components.promotion.evaluate_detector.mlflow_run import mlflow_run
from components.shared.contracts.absence import mark_absent
from components.shared.contracts.report import ModelReport, Report


def numbers(role, digest):
    return ModelReport(
        role=role, model=digest, coco={"map": 0.4, "map_small": -1.0}, slices={},
        latency_ms_p50=9.0, latency_ms_p95=11.0, size_bytes=3,
    )  # fmt: skip


def test_each_candidate_is_told_what_is_defined_of_its_own_numbers(tiny_package, tmp_path):
    package, champion = tiny_package(), tiny_package(shift=1.0)
    info = package.verify()
    mark_absent(tmp_path / "fine_tuned", "there is no champion yet")
    report = Report(
        dataset="toys", snapshot="5" * 64, split="test", images=1, boxes=1, absent={},
        models=(
            numbers("from_scratch", info.digest), numbers("champion", champion.verify().digest),
        ),
    )  # fmt: skip
    folders = {"fine_tuned": str(tmp_path / "fine_tuned"), "from_scratch": str(package.root)}
    (told,) = mlflow_run(report, folders, "report", "page")

    assert told.lineage == info.lineage
    assert told.metrics == {
        0: {
            "test/map": 0.4, "test/latency_ms_p50": 9.0, "test/latency_ms_p95": 11.0,
            "test/size_bytes": 3,
        }
    }  # fmt: skip
    assert set(told.files) == {"evaluation/report.json", "evaluation/page.html"}
