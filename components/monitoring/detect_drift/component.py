"""KFP component `detect_drift`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("monitor"), install_kfp_package=False)
def detect_drift(
    window: dsl.Input[dsl.Dataset],
    champion: dsl.Input[dsl.Model],
    drift: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
    evidently: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Measure the drift of frames from the champion's reference frames.

    Args:
        window: Served frames as `contracts.snapshot.WindowLayout`, or labelled ones as
            `SnapshotLayout`, of which only the images are compared.
        champion: Laid out as `contracts.model.RegisteredLayout`, or absent.
        drift: A `contracts.report.DriftReport`.
        page: The same for people, with the frames that are least like the reference.
        evidently: The same distributions as Evidently shows them.
        metrics: The distance of each descriptor.
    """
    import os

    from components.monitoring.detect_drift.detect import detect
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.objects import Objects

    os.environ["DO_NOT_TRACK"] = "1"  # Evidently counts its users otherwise
    objects = Objects(os.environ["OBJECT_STORE_URL"])
    numbers = detect(
        window.path, champion.path, objects, drift.path, page.path, evidently.path,
        policy_from(os.environ).drift,
    )  # fmt: skip
    for name, value in numbers.items():
        metrics.log_metric(name, value)
