"""`score_dataset` as Kubeflow runs it."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("evaluator"), install_kfp_package=False)
def score_dataset(
    champion: dsl.Input[dsl.Model],
    detections: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
    snapshot: dsl.Input[dsl.Dataset] = None,
    folder: str = "",
) -> int:
    """Ask the champion about every picture of a folder or of a snapshot.

    Args:
        champion: Laid out as `contracts.model.RegisteredLayout`.
        detections: COCO JSON: images, categories, and annotations with a score.
        page: Some of the pictures, and what could not be read.
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`, instead of a folder.
        folder: Folder of JPEGs, however deep; empty takes the snapshot.

    Returns:
        How many pictures were scored.
    """
    import os

    from components.serving.score_dataset.score import score_pictures
    from components.serving.score_dataset.source import sources
    from components.shared.store.objects import Objects
    from components.shared.store.snapshots import SnapshotReader

    reader = (
        SnapshotReader(snapshot.path, Objects(os.environ["OBJECT_STORE_URL"])) if snapshot else None
    )
    return score_pictures(champion.path, sources(folder, reader), detections.path, page.path)
