"""Pipeline `import`: import labelled images from a folder, an archive or an object store."""

from kfp import dsl

from components.data.import_dataset.component import import_dataset
from pipelines.exit_handler import exit_handler
from pipelines.placement import long, with_objects, with_stream


@dsl.pipeline(  # type: ignore[untyped-decorator]
    name="import-car-images",
    description="Send labelled images (YOLO, COCO or CSV) of an archive or of a prefix of an "
    "object store as the frames of a dataset. Doing it again adds nothing twice.",
)
def import_images(dataset: str = "car-parks", source: str = "") -> None:
    """Send labelled images as the frames of a dataset.

    Args:
        dataset: Name of the dataset: small letters, digits and dashes.
        source: Where they lie: `s3://bucket/prefix`, or an archive such as
            `s3://bucket/images.zip` or `.tar.gz`. On this machine also a folder or an
            archive's file, which Kubeflow does not see and refuses.
    """
    with exit_handler("import"):
        long(with_stream(with_objects(import_dataset(dataset=dataset, source=source))))
