"""Define the Kubeflow component `import_dataset`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def import_dataset(dataset: str, source: str) -> int:
    """Import labelled images: send them as frames of a dataset.

    Args:
        dataset: Name of the dataset: lower-case letters, digits and hyphens.
        source: Images with labels of a form that the README names: a folder, an archive
            (.zip, .tar, .tar.gz, .tgz, .tar.bz2, .tar.xz), or either of them in an object store, `s3://bucket/prefix`.

    Returns:
        How many images were sent.
    """
    import os

    from components.data.import_dataset.send import import_folder
    from components.data.import_dataset.source import opened
    from components.shared.contracts.progress import log_progress
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.frames import FrameSender
    from components.shared.store.objects import Objects

    objects = Objects(os.environ["OBJECT_STORE_URL"])
    stream = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    who = {"source": "/import_dataset", "labelled_by": "owner", "tool": "import_dataset"}
    with (
        opened(source, policy_from(os.environ).imports) as folder,
        FrameSender.connect(objects, stream, dataset=dataset, **who) as sender,
    ):
        tally = import_folder(folder, sender)
    log_progress(str(tally))
    return tally.images
