"""Every pipeline by the name that people call it."""

from kfp.dsl.base_component import BaseComponent

from pipelines.batch import batch
from pipelines.deploy import deploy
from pipelines.train import train
from pipelines.tune import tune
from pipelines.watch import watch

GRAPHS: dict[str, BaseComponent] = {
    "train": train,
    "deploy": deploy,
    "watch": watch,
    "batch": batch,
    "tune": tune,
}
