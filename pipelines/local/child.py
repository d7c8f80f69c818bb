"""Child process that runs one pipeline under `kfp.local`: `child NAME PARAMETERS FOLDER`."""

import json
import os
import signal
import sys
import warnings

from kfp import local

from pipelines.graphs import GRAPHS


def main(name: str, parameters: str, folder: str) -> None:
    """Run a pipeline under `kfp.local`, each task as a subprocess in this environment.

    Args:
        name: Command-line name of the pipeline.
        parameters: Pipeline parameters by name, as JSON.
        folder: Folder of the artifacts.
    """
    signal.signal(signal.SIGTERM, _take_everyone)
    warnings.filterwarnings("ignore", message="You may be attemping to run a task")
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=folder)
    GRAPHS[name](**json.loads(parameters))


def _take_everyone(signum: int, frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(os.getpgrp(), signal.SIGTERM)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
