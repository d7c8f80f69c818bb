"""Pipeline `batch`: score many images with the champion, and write the boxes as COCO JSON."""

from kfp import dsl

from components.data.snapshot_dataset.component import snapshot_dataset
from components.promotion.fetch_model.component import fetch_model
from components.serving.score_dataset.component import score_dataset
from pipelines.exit_handler import exit_handler
from pipelines.placement import heavy, light


@dsl.pipeline(
    name="score-car-images",
    description="Batch inference: run the champion on all labelled images of its dataset, and "
    "write the boxes as COCO JSON. A dataset without a champion is skipped.",
)
def batch(dataset: str = "car-parks", folder: str = "") -> None:
    """Score a folder, or the dataset's own snapshot.

    Args:
        dataset: Name of the dataset of the champion.
        folder: Folder of JPEGs on this machine; empty: the snapshot. On Kubeflow a folder
            is refused.
    """
    with exit_handler("batch"):
        fetched = fetch_model(dataset=dataset, must_be_whole=True)
        light(fetched)
        champion = fetched.outputs["fetched"]
        with dsl.If(fetched.outputs["Output"] != "", name="if there is a champion"):
            with dsl.If(folder == "", name="if no folder"):
                frozen = snapshot_dataset(dataset=dataset)
                light(frozen)
                scored = score_dataset(champion=champion, snapshot=frozen.outputs["snapshot"])
                heavy(scored)
            with dsl.If(folder != "", name="if a folder"):
                heavy(score_dataset(champion=champion, folder=folder))
