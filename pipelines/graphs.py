"""Table of all pipelines by their command-line names."""

from kfp.dsl.base_component import BaseComponent

from pipelines.batch import batch
from pipelines.deploy import deploy
from pipelines.form import with_form
from pipelines.import_images import import_images
from pipelines.train import train
from pipelines.tune import tune
from pipelines.watch import watch

GRAPHS: dict[str, BaseComponent] = {
    "train": with_form(train),
    "deploy": with_form(deploy),
    "watch": with_form(watch),
    "batch": with_form(batch),
    "tune": with_form(tune),
    "import": with_form(import_images),
}
