"""Train from scratch on real images for some seeds, and see what the exported packages find.

The folder becomes a snapshot, and the snapshot a package, as in every run; nothing is chosen
on the test split, which is only measured at the end. `make prove-training DATA=folder` runs it
with shared/data/highway_vehicles and prints a table beside the peer's numbers.
"""

import argparse
import os
import statistics
import sys
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from components.data.ingest_events.wait import wait_until_ingested
from components.data.snapshot_dataset.freeze import freeze
from components.promotion.evaluate_detector.evaluate import evaluate
from components.shared.contracts.absence import mark_absent
from components.shared.contracts.errors import UserError
from components.shared.contracts.snapshot import SnapshotInfo, SnapshotLayout
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.snapshots import SnapshotReader
from components.shared.store.stream import stream_id
from components.training.export_onnx.export import export_trained
from components.training.train_detector.launchers.choose import launcher_named
from components.training.train_detector.plan.settings import TrainingSettings, settings_of
from components.training.train_detector.train import train
from pipelines.local.local_stack import LocalStack, local_stack
from pipelines.local.loop import slug
from pipelines.local.run import run_job
from tests.proofs.needs import need_images

# YOLOv8n 8.4 of Ultralytics on highway_vehicles, same split, 320 pixels, 60 epochs, from scratch.
PEER = {"validation": (0.688, 0.367), "test": (0.501, 0.241)}
GOAL = (0.53, 0.26)  # means on the test split
SPLITS = ("validation", "test")
NAMES = ("mAP50", "mAP50-95")
DEFAULTS = TrainingSettings()
CHOSEN = ("size", "epochs", "batch_size", "precision", "gradient_precision", "workers")

Found = dict[str, tuple[float, float]]  # mAP50 and mAP50-95 by split


def main(arguments: list[str]) -> int:
    """Train for every seed, print the table, and say whether the goal is met."""
    options = options_of(arguments)
    need_images(options.data)
    with TemporaryDirectory() as name:
        os.environ["CARS_STATE"] = str(Path(name) / "state")
        with local_stack() as stack:
            snapshot = freeze_folder(stack, Path(options.data).resolve(), Path(name) / "snapshot")
            found = {
                seed: found_by(stack, snapshot, Path(name) / f"seed{seed}", settings)
                for seed, settings in options.settings.items()
            }
    print(table(found))
    return 0 if reached(found) else 1


def options_of(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; a setting that cannot be ends it with a sentence."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.accuracy", description=__doc__)
    parser.add_argument("--data", default="", help="folder of images with boxes and splits")
    parser.add_argument("--seeds", default="0,1,2", help="comma list; default 0,1,2")
    parser.add_argument("--size", default="nano")
    parser.add_argument("--epochs", default=60, type=int)
    parser.add_argument("--batch-size", default=8, type=int)
    parser.add_argument("--precision", default="float32", help="or bfloat16")
    parser.add_argument(
        "--gradient-precision", default=DEFAULTS.gradient_precision, help="between workers"
    )
    parser.add_argument("--workers", default=1, type=int, help="processes that share the cores")
    options = parser.parse_args(arguments)
    chosen = {key: getattr(options, key) for key in CHOSEN}
    try:
        seeds = [int(seed) for seed in options.seeds.split(",")]
        options.settings = {seed: settings_of(**chosen, seed=seed) for seed in seeds}
    except (UserError, ValueError) as cause:
        parser.error(str(cause))
    return options


def freeze_folder(stack: LocalStack, data: Path, snapshot: Path) -> Path:
    """Import a folder of labelled images, and freeze it with the splits that it names."""
    dataset = slug(data.name)
    options = {"dataset": dataset, "source": str(data)}
    imported = run_job(stack, "import_dataset", options, lambda title, said: print(title, said))
    if imported.failed:
        raise SystemExit(imported.cause)
    servers = stack.env["KAFKA_BOOTSTRAP_SERVERS"]
    stream = stream_id(servers, stack.env.get("KAFKA_STREAM_ID"))
    wait_until_ingested(stack.env["DATABASE_URL"], servers, stream, meanwhile=stack.must_run)
    with closing(connect(stack.env["DATABASE_URL"])) as connection:
        freeze(
            connection, Objects(stack.env["OBJECT_STORE_URL"]), dataset, snapshot, grow_test=False
        )
    info = SnapshotInfo.read(SnapshotLayout(snapshot).info)
    print(f"snapshot {info.id[:12]}: {info.images}", flush=True)
    return snapshot


def found_by(stack: LocalStack, snapshot: Path, folder: Path, settings: TrainingSettings) -> Found:
    """Train with one seed, export, and measure the package on both held-out splits."""
    seconds = train_in(stack, snapshot, folder, settings)
    reader = SnapshotReader(snapshot, Objects(stack.env["OBJECT_STORE_URL"]))
    print(export_trained(folder / "trained", reader, folder / "package").sentence)
    found = {split: measured(reader, folder / "package", split) for split in SPLITS}
    print(f"seed {settings.seed}: {seconds:.0f} s, {found}", flush=True)
    return found


def train_in(stack: LocalStack, snapshot: Path, folder: Path, settings: TrainingSettings) -> float:
    """Train from scratch to `trained` in a folder that is made, and return the seconds it takes."""
    folder.mkdir(parents=True)
    mark_absent(folder / "champion", "this starts from scratch")
    objects, began = Objects(stack.env["OBJECT_STORE_URL"]), time.monotonic()
    launch = launcher_named("local", stack.env)
    train(snapshot, folder / "champion", folder / "trained", settings, objects, launch)
    return time.monotonic() - began


def measured(reader: SnapshotReader, package: Path, split: str) -> tuple[float, float]:
    """Return mAP50 and mAP50-95 of a package as the evaluator sees them."""
    (model,) = evaluate(reader, {"from_scratch": package}, split).report.models
    return model.coco["map50"], model.coco["map"]


def table(found: dict[int, Found]) -> str:
    """Return a line for each seed, their mean and range, and the peer."""
    columns = list(zip(*map(_row, found.values()), strict=True))
    lines = {f"seed {seed}": [f"{value:.3f}" for value in _row(one)] for seed, one in found.items()}
    lines["mean"] = [f"{statistics.mean(column):.3f}" for column in columns]
    lines["range"] = [f"{min(column):.3f} to {max(column):.3f}" for column in columns]
    lines["YOLOv8n"] = [f"{value:.3f}" for value in _row(PEER)]
    head = [f"{split} {name}" for split in SPLITS for name in NAMES]
    rows = [("", head), *lines.items()]
    return "\n".join(f"{title:8}" + "".join(f"{c:>21}" for c in cells) for title, cells in rows)


def reached(found: dict[int, Found]) -> bool:
    """Print whether the means over all seeds reach the goal, and return it."""
    means = [statistics.mean(values) for values in zip(*_tests(found), strict=True)]
    for name, mean, goal in zip(NAMES, means, GOAL, strict=True):
        print(f"test {name}: {mean:.3f}, {'as' if mean >= goal else 'NOT as'} wanted >= {goal}")
    return all(mean >= goal for mean, goal in zip(means, GOAL, strict=True))


def _row(found: Found) -> list[float]:
    return [value for split in SPLITS for value in found[split]]


def _tests(found: dict[int, Found]) -> list[tuple[float, float]]:
    return [one["test"] for one in found.values()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
