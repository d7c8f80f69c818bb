"""Image build check: import everything that the named jobs reach.

`python check.py JOB_OR_FILE...` runs while an image is built, in the mode in which Kubeflow starts
jobs; a missing package or file fails the build. An import inside a function counts like one at
the top of a file, because wrappers import what they run only when they run it.
"""

import ast
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

os.environ["_KFP_RUNTIME"] = "true"


def main(jobs: list[str]) -> None:
    """Import every module that the jobs reach, recursively, to the last file of our own.

    Args:
        jobs: Names of jobs, or files.
    """
    rooms = Path(import_module("components").__path__[0])
    files = [rooms / "__main__.py"]
    for job in jobs:
        (place,) = rooms.glob(f"**/{job}")
        files += sorted(place.glob("*.py")) or [place]
    for file in files:
        for name in _imported(file):
            ours = sys.modules[name].__file__ if name.startswith("components.") else None
            if ours and Path(ours) not in files:
                files.append(Path(ours))
    print(f"{len(files)} files find what they import")


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                import_module(alias.name)
                yield alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            module = import_module(node.module)
            yield node.module
            for alias in node.names:
                if not hasattr(module, alias.name):
                    import_module(f"{node.module}.{alias.name}")
                    yield f"{node.module}.{alias.name}"


if __name__ == "__main__":
    main(sys.argv[1:])
