"""Table of all pipelines by their command-line names, and the compiler of their YAML packages."""

from pathlib import Path

from kfp import compiler
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


def write_package(name: str, folder: Path) -> Path:
    """Compile one pipeline to `<name>.yaml`, byte for byte the same each time; return the file.

    Args:
        name: Command-line name of the pipeline, a key of `GRAPHS`.
        folder: Folder of the file; it is made if it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.yaml"
    compiler.Compiler().compile(GRAPHS[name], str(file))
    return file
