"""One worker of a training: `python -m components.train_detector.worker PLAN`, with TF_CONFIG.

It lives no longer than the process that holds the other end of its standard input.
"""

import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.contracts.refusal import Refusal


def main(arguments: list[str]) -> int:
    """Train as the plan says; 0 when done, 2 for what the user must mend."""
    (plan,) = arguments
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        work(Path(plan), os.environ.get("TF_CONFIG"))
    except Refusal as refusal:
        print(refusal, file=sys.stderr, flush=True)
        return 2
    return 0


def work(plan_path: Path, tf_config: str | None) -> None:
    """Take one worker's part in a training; the chief writes what came of it.

    Args:
        plan_path: A `Plan`.
        tf_config: The cluster and our place in it; None when we are alone.
    """
    from components.train_detector.plan import Plan

    plan = Plan.read(plan_path)

    import tensorflow as tf  # type: ignore[import-untyped]

    from components.train_detector.run import run

    index, workers = place(json.loads(tf_config or "{}"))
    tf.config.threading.set_intra_op_parallelism_threads(max(1, (os.cpu_count() or 1) // workers))
    strategy = (
        tf.distribute.MultiWorkerMirroredStrategy()
        if workers > 1
        else tf.distribute.OneDeviceStrategy("/cpu:0")
    )
    run(plan, strategy, index, workers)


def place(cluster: Mapping[str, Any]) -> tuple[int, int]:
    """Return our number and how many we are; a `chief`, if there is one, is number 0.

    >>> place({"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}})
    (1, 2)
    >>> place({})
    (0, 1)
    """
    hosts = dict(cluster.get("cluster") or {"worker": [""]})
    task = dict(cluster.get("task") or {"type": "worker", "index": 0})
    chiefs = len(hosts.get("chief", ()))
    index = int(task["index"]) + (chiefs if task["type"] == "worker" else 0)
    return index, chiefs + len(hosts.get("worker", ()))


def _die_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
