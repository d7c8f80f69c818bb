"""Define the Kubeflow component `export_onnx`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("trainer"), install_kfp_package=False)
def export_onnx(
    snapshot: dsl.Input[dsl.Dataset],
    trained: dsl.Input[dsl.Model],
    package: dsl.Output[dsl.Model],
    parity: dsl.Output[dsl.Markdown],
    precision: str = "float32",
    suppression: str = "outside",
) -> str:
    """Export a trained network as an ONNX package, and check parity with TensorFlow.

    Args:
        snapshot: `contracts.snapshot.SnapshotLayout`, for the images of the parity check.
        trained: `contracts.model.TrainedLayout`, or absent.
        package: `contracts.model.PackageLayout`, or absent for the same reason.
        parity: The largest differences between TensorFlow and ONNX Runtime.
        precision: `float32`, or `int8` where that loses no more mAP50-95 on the validation
            images than the policy allows.
        suppression: `outside` of the graph, or `inside` too, for clients that have none.

    Returns:
        The package's digest; nothing if it is absent.
    """
    import os
    from pathlib import Path

    from components.shared.contracts.progress import log_progress
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.objects import Objects
    from components.shared.store.snapshots import SnapshotReader
    from components.training.export_onnx.export import export_trained
    from components.training.export_onnx.package import form_of

    form = form_of(precision, suppression)
    reader = SnapshotReader(snapshot.path, Objects(os.environ["OBJECT_STORE_URL"]))
    folders = Path(trained.path), reader, Path(package.path)
    exported = export_trained(*folders, form, policy_from(os.environ))
    Path(parity.path).write_text(exported.page)
    log_progress(exported.sentence)
    return exported.digest
