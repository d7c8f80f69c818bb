"""Kubeflow component `evaluate_detector`: compare candidates and champion on the test images."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("evaluator"), install_kfp_package=False)
def evaluate_detector(
    snapshot: dsl.Input[dsl.Dataset],
    from_scratch: dsl.Input[dsl.Model],
    champion: dsl.Input[dsl.Model],
    report: dsl.Output[dsl.Artifact],
    references: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
    confusion: dsl.Output[dsl.ClassificationMetrics],
    fine_tuned: dsl.Input[dsl.Model] = None,
    split: str = "test",
) -> None:
    """Compare the packages that would be served on the same frozen test images.

    Args:
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`.
        from_scratch: Laid out as `contracts.model.PackageLayout`, or absent.
        champion: Laid out as `contracts.model.RegisteredLayout`, or absent.
        report: `contracts.report.Report`.
        references: Laid out as `contracts.report.ReferencesLayout`.
        page: Metrics, curves and the worst errors.
        metrics: The main metrics of each role.
        confusion: The confusion matrix of the better candidate.
        fine_tuned: The other candidate, laid out as from_scratch, if there are two.
        split: Split of the images: `test`, or `validation` in a search for settings.
    """
    import os

    from components.promotion.evaluate_detector.evaluate import evaluate
    from components.promotion.evaluate_detector.mlflow_run import mlflow_run
    from components.promotion.evaluate_detector.page import publish
    from components.shared.contracts.report import Role
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.objects import Objects
    from components.shared.store.snapshots import SnapshotReader
    from components.shared.store.tracking import track

    reader = SnapshotReader(snapshot.path, Objects(os.environ["OBJECT_STORE_URL"]))
    candidates: dict[Role, str] = {"fine_tuned": fine_tuned.path} if fine_tuned else {}
    candidates["from_scratch"] = from_scratch.path
    policies = policy_from(os.environ)
    evaluation = evaluate(reader, {**candidates, "champion": champion.path}, split, policies)
    publish(evaluation, reader, report.path, references.path, page.path)
    for name, value in evaluation.metrics.items():
        metrics.log_metric(name, value)
    confusion.log_confusion_matrix(*evaluation.confusion)
    track(os.environ, *mlflow_run(evaluation.report, candidates, report.path, page.path))
