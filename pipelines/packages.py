"""Compile a pipeline to its YAML package, byte for byte the same each time."""

from pathlib import Path

from kfp import compiler

from pipelines.graphs import GRAPHS


def write_package(name: str, folder: Path) -> Path:
    """Compile one pipeline into a folder and return its file.

    Args:
        name: What people call the pipeline.
        folder: Where to write; it is made if it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.yaml"
    compiler.Compiler().compile(GRAPHS[name], str(file))
    return file
