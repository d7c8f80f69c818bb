"""Score many images at once with the champion, and keep the boxes as COCO JSON."""

from kfp import dsl

from components.fetch_model.component import fetch_model
from components.score_dataset.component import score_dataset
from components.snapshot_dataset.component import snapshot_dataset
from pipelines.ending import recorded
from pipelines.placement import heavy, light, with_database, with_objects


@dsl.pipeline(
    name="score-car-images",
    description="The champion's boxes for a folder of images, or for all that is labelled.",
)
def batch(dataset: str = "car-parks", folder: str = "") -> None:
    """Score a folder, or the dataset's own snapshot.

    Args:
        dataset: Name of the dataset whose champion answers.
        folder: Folder of JPEGs that the task can read; empty takes the snapshot.
    """
    with recorded("batch"):
        fetched = light(with_objects(with_database(fetch_model(dataset=dataset))))
        champion = fetched.outputs["fetched"]
        with dsl.If(folder == "", name="snapshot"):
            frozen = snapshot_dataset(dataset=dataset)
            light(with_objects(with_database(frozen)))
            scored = score_dataset(champion=champion, snapshot=frozen.outputs["snapshot"])
            heavy(with_objects(scored))
        with dsl.Else(name="folder"):
            heavy(with_objects(score_dataset(champion=champion, folder=folder)))
