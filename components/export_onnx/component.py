"""`export_onnx` as Kubeflow runs it."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("trainer"), install_kfp_package=False)
def export_onnx(
    snapshot: dsl.Input[dsl.Dataset],
    trained: dsl.Input[dsl.Model],
    package: dsl.Output[dsl.Model],
    parity: dsl.Output[dsl.Markdown],
) -> str:
    """Make a package of a trained network, and prove that it answers the same.

    Args:
        snapshot: `contracts.snapshot.SnapshotLayout`; up to 16 of its test images are asked.
        trained: `contracts.model.TrainedLayout`, or absent.
        package: `contracts.model.PackageLayout`, or absent for the same reason.
        parity: The worst differences between TensorFlow and ONNX Runtime.

    Returns:
        The package's digest; nothing if it is absent.
    """
    import os
    from pathlib import Path

    from components.contracts.progress import say
    from components.export_onnx.export import export_trained
    from components.store.objects import Objects
    from components.store.snapshots import SnapshotReader

    reader = SnapshotReader(snapshot.path, Objects(os.environ["OBJECT_STORE_URL"]))
    jpegs = [reader.read(image.sha256) for image in reader.images("test")[:16]]
    exported = export_trained(Path(trained.path), jpegs, Path(package.path))
    Path(parity.path).write_text(exported.page)
    say(exported.sentence)
    return exported.digest
