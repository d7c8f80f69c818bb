"""Kubeflow component `check_model`: smoke test of a model package in a sandboxed server."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("evaluator"), install_kfp_package=False)
def check_model(
    package: dsl.Input[dsl.Model],
    checked: dsl.Output[dsl.Model],
    page: dsl.Output[dsl.HTML],
    snapshot: dsl.Input[dsl.Dataset] = None,
    dataset: str = "",
    must_pass: bool = False,
) -> str:
    """Smoke-test a package: load it in the real server, in a sandbox, and check known answers.

    Args:
        package: Laid out as `contracts.model.PackageLayout`, or as `RegisteredLayout`; or absent.
        checked: The package as it was tested; absent if it was, or if it is rejected.
        page: Load time, latency, memory and boxes, or why the package is rejected.
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`; some of its images are tested,
            and the package must be of its dataset and classes.
        dataset: Dataset that the model must be of, where there is no snapshot.
        must_pass: Whether a rejection fails the task, so that no other task follows.

    Returns:
        The digest of the package; empty if it is absent.
    """
    import os

    from components.promotion.check_model.check import check, expected_of
    from components.promotion.check_model.page import write_check_page
    from components.shared.contracts.progress import log_progress
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.objects import Objects
    from components.shared.store.snapshots import SnapshotReader

    reader = (
        SnapshotReader(snapshot.path, Objects(os.environ["OBJECT_STORE_URL"])) if snapshot else None
    )
    policy = policy_from(os.environ)
    expected = expected_of(reader, dataset, policy.check)
    result = check(package.path, checked.path, expected, policy.check, policy.golden)
    write_check_page(result, policy.check, page.path)
    log_progress(result.sentence)
    return result.passed(must_pass)
