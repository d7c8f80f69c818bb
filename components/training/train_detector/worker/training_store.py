"""Store plan, checkpoints and outcome of a training in the object store, by its fingerprint.

The marker of a complete outcome is written last, so that an outcome with a marker is
complete, whenever the workers were stopped.
"""

from pathlib import Path

from components.shared.contracts.errors import UserError
from components.shared.store.objects import Objects
from components.training.train_detector.learning.checkpoint import Checkpoints
from components.training.train_detector.plan.plan import PlanLayout


class TrainingStore:
    """Storage of one training: `trainings/<fingerprint>/` in the object store.

    Args:
        objects: The store, which also holds the snapshot's shards.
        fingerprint: Of the plan's lineage.
    """

    def __init__(self, objects: Objects, fingerprint: str) -> None:
        self.objects = objects
        self.prefix = f"trainings/{fingerprint}"

    def complete(self) -> bool:
        """Return whether the complete outcome is stored."""
        return self.objects.exists(f"{self.prefix}/complete")

    def send_plan(self, folder: Path) -> None:
        """Store the input files of workers, from a folder laid out as `PlanLayout`."""
        layout = PlanLayout(folder)
        for part in (layout.snapshot, layout.warm):
            self.objects.put_folder(f"{self.prefix}/plan/{part.name}", part)
        self.objects.put(f"{self.prefix}/plan/{layout.plan.name}", layout.plan.read_bytes())

    def fetch_plan(self, folder: Path) -> None:
        """Download the plan to a folder, laid out as `PlanLayout`.

        Raises:
            UserError: If there is no such plan.
        """
        self.objects.get_folder(f"{self.prefix}/plan", folder)
        plan = PlanLayout(folder).plan
        if not plan.exists():
            uri = self.objects.uri(self.prefix)
            raise UserError(f"{uri} holds no plan, expected plan/{plan.name}")

    def send_outcome(self, trained: Path) -> None:
        """Store a `TrainedLayout` folder, and the marker after all of it."""
        self.objects.put_folder(f"{self.prefix}/trained", trained)
        self.objects.put(f"{self.prefix}/complete", b"")

    def fetch_outcome(self, trained: Path) -> None:
        """Download the outcome to a folder, laid out as `TrainedLayout`."""
        self.objects.get_folder(f"{self.prefix}/trained", trained)

    def checkpoints(self, worker: int) -> Checkpoints:
        """Return the storage of a worker's checkpoints."""
        return Checkpoints(self.objects, f"{self.prefix}/checkpoints", worker)

    def delete_intermediate(self) -> None:
        """Delete plan and checkpoints, which are not needed after the outcome is stored."""
        for part in ("plan", "checkpoints"):
            self.objects.delete_folder(f"{self.prefix}/{part}")
