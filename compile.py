"""Write every pipeline to build/<name>.yaml, byte for byte the same each time.

With --check nothing is written there: what would be is told as stories, and compared with
those that were reviewed, tests/pipelines/golden/<name>.txt. The exit code is 1 if one differs.
"""

import argparse
import sys
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory

from components.shared.contracts.errors import ApplicationError, ExitCode

ROOT = Path(__file__).parent
BUILD = ROOT / "build"
REVIEWED = ROOT / "tests/pipelines/golden"
ACCEPT = "if this is meant: python -m pytest --accept tests/pipelines/test_graphs.py"


def main(folder: Path = BUILD) -> None:
    """Compile all pipelines into a folder."""
    from pipelines.graphs import GRAPHS, write_package  # refuses wrong settings at the import

    for name in GRAPHS:
        write_package(name, folder)
        print(f"{folder.name}/{name}.yaml")


def check(reviewed: Path = REVIEWED) -> int:
    """Print how the pipelines differ from their reviewed stories, and return the exit code.

    Args:
        reviewed: Folder of the stories, `<name>.txt`.
    """
    from pipelines.graphs import GRAPHS, write_package
    from pipelines.story import story

    differing = 0
    with TemporaryDirectory() as folder:
        for name in GRAPHS:
            file = reviewed / f"{name}.txt"
            was = file.read_text() if file.exists() else ""
            now = story(write_package(name, Path(folder)))
            differing += now != was
            for line in unified_diff(
                was.splitlines(), now.splitlines(), f"{name} reviewed", f"{name} compiled",
                n=1, lineterm="",
            ):  # fmt: skip
                print(line)
    print(f"{len(GRAPHS)} pipelines, {differing} not as reviewed")
    if differing:
        print(ACCEPT)
    return 1 if differing else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="compile.py", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=BUILD)
    parser.add_argument("--check", action="store_true", help="compare with the reviewed stories")
    options = parser.parse_args()
    try:
        sys.exit(check() if options.check else main(options.folder))
    except ApplicationError as error:
        print(error, file=sys.stderr)
        sys.exit(ExitCode.of(error))
