"""`import_dataset` as Kubeflow runs it."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def import_dataset(dataset: str, source: str) -> int:
    """Send a folder of labelled images as the frames of a dataset.

    Args:
        dataset: Its name: small letters, digits and dashes.
        source: Folder with images and YOLO labels, COCO JSON or a CSV file of boxes.

    Returns:
        How many images were sent.
    """
    import os
    from pathlib import Path

    from components.contracts.progress import say
    from components.import_dataset.folder import Folder
    from components.import_dataset.send import import_folder
    from components.store.frames import FrameSender
    from components.store.objects import Objects

    folder = Folder(Path(source))
    objects = Objects(os.environ["OBJECT_STORE_URL"])
    stream = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    who = {"source": "/import_dataset", "labelled_by": "owner", "tool": "import_dataset"}
    with FrameSender.connect(objects, stream, dataset=dataset, **who) as sender:
        tally = import_folder(folder, sender)
    say(str(tally))
    return tally.images
