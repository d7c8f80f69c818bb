"""`check_model` as Kubeflow runs it."""

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
    """Load a package in the real server, shut in and with limits, and ask it known pictures.

    Args:
        package: Laid out as `contracts.model.PackageLayout`, or as `RegisteredLayout`; or absent.
        checked: The package as it was tried; absent if it was, or if it is refused.
        page: What it cost and answered, or why it is refused.
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`; some of its pictures are asked
            about, and the package must be of its dataset and classes.
        dataset: Whose model it must be, where there is no snapshot.
        must_pass: Whether the task fails with the refusal, so that nothing follows it.

    Returns:
        The package's digest; nothing if it is absent.
    """
    import os

    from components.promotion.check_model.check import check, expected_of
    from components.promotion.check_model.page import write_check_page
    from components.shared.contracts.policy import CheckPolicy
    from components.shared.contracts.progress import say
    from components.shared.store.objects import Objects
    from components.shared.store.snapshots import SnapshotReader

    reader = (
        SnapshotReader(snapshot.path, Objects(os.environ["OBJECT_STORE_URL"])) if snapshot else None
    )
    policy = CheckPolicy()
    expected = expected_of(reader, dataset, policy)
    result = check(package.path, checked.path, expected, policy)
    write_check_page(result, policy, page.path)
    say(result.sentence)
    return result.passed(must_pass)
