"""Write every pipeline to build/<name>.yaml, byte for byte the same each time."""

import sys
from pathlib import Path

from kfp import compiler

from pipelines.graphs import GRAPHS

BUILD = Path(__file__).parent / "build"


def main(folder: Path = BUILD) -> None:
    """Compile all pipelines into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, graph in GRAPHS.items():
        compiler.Compiler().compile(graph, str(folder / f"{name}.yaml"))
        print(f"{folder.name}/{name}.yaml")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
