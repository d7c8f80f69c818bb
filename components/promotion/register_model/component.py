"""Kubeflow component `register_model`: register the winner of a comparison as a version."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def register_model(
    winner: str,
    report: dsl.Input[dsl.Artifact],
    references: dsl.Input[dsl.Artifact],
    verdict: dsl.Input[dsl.Artifact],
    fine_tuned_package: dsl.Input[dsl.Model],
    from_scratch_package: dsl.Input[dsl.Model],
    fine_tuned_trained: dsl.Input[dsl.Model],
    from_scratch_trained: dsl.Input[dsl.Model],
    snapshot: dsl.Input[dsl.Dataset],
    card: dsl.Output[dsl.Markdown],
) -> str:
    """Register the winner of a comparison as a version, signed if there is a key.

    Args:
        winner: `fine_tuned` or `from_scratch`.
        report: `contracts.report.Report` of the comparison.
        references: Held-out frames of each model, as `contracts.report.ReferencesLayout`.
        verdict: The decision, laid out as `contracts.report.VerdictLayout`.
        fine_tuned_package: Laid out as `contracts.model.PackageLayout`, or absent.
        from_scratch_package: The same.
        fine_tuned_trained: Laid out as `contracts.model.TrainedLayout`, or absent.
        from_scratch_trained: The same.
        snapshot: Training data of both, laid out as `contracts.snapshot.SnapshotLayout`.
        card: The model card: purpose, metrics and limits.

    Returns:
        The digest of the registered model.
    """
    import os
    from contextlib import closing
    from pathlib import Path

    from components.promotion.register_model.mlflow_run import mlflow_run
    from components.promotion.register_model.register import register, winning
    from components.shared.inference.signature import private_key
    from components.shared.store.objects import Objects
    from components.shared.store.postgres import connect
    from components.shared.store.registry import Registry
    from components.shared.store.tracking import track

    candidates = {
        "fine_tuned": (fine_tuned_package.path, fine_tuned_trained.path),
        "from_scratch": (from_scratch_package.path, from_scratch_trained.path),
    }
    candidate = winning(
        winner, candidates, report.path, references.path, verdict.path, snapshot.path
    )
    Path(card.path).write_text(candidate.card)
    objects = Objects(os.environ["OBJECT_STORE_URL"])
    with closing(connect(os.environ["DATABASE_URL"])) as connection:
        version = register(Registry(connection), objects, candidate, private_key(os.environ))
    track(os.environ, mlflow_run(candidate, version, Path(card.path)))
    return version.model
