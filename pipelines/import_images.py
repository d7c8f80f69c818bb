"""Pipeline `import`: import labelled images from a folder, an archive or an object store."""

from kfp import dsl

from components.data.import_dataset.component import import_dataset
from pipelines.exit_handler import exit_handler
from pipelines.placement import long


@dsl.pipeline(  # type: ignore[untyped-decorator]
    name="import-car-images",
    description="Import labelled images (YOLO, COCO, CSV and others) from an archive or a prefix "
    "of an object store as frames of a dataset. A repeated import stores nothing twice.",
)
def import_images(dataset: str = "car-parks", source: str = "") -> None:
    """Send labelled images as the frames of a dataset.

    Args:
        dataset: Name of the dataset: lower-case letters, digits and hyphens.
        source: Address of the images: `s3://bucket/prefix`, or an archive such as
            `s3://bucket/images.zip` or `.tar.gz`. On this machine also a folder or the
            file of an archive; Kubeflow refuses these.
    """
    with exit_handler("import"):
        long(import_dataset(dataset=dataset, source=source))
