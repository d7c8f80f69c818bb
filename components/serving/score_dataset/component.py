"""Kubeflow component `score_dataset`: batch inference with the champion."""

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
    """Run the champion on every image of a folder or of a snapshot (batch inference).

    Args:
        champion: Laid out as `contracts.model.RegisteredLayout`.
        detections: COCO JSON: images, categories, and annotations with a score.
        page: A sample of the images with their boxes, and the unreadable files.
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`, instead of a folder.
        folder: Folder of JPEGs with its subfolders; empty: the snapshot.

    Returns:
        Number of images that were scored.
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
