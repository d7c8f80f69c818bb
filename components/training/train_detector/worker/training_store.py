"""What a training starts from and what came of it lie in the object store by its fingerprint.

The marker that says that an outcome is whole comes last, so that whoever sees it finds
all of it, whenever and wherever the workers were stopped.
"""

from pathlib import Path

from components.shared.contracts.refusal import Refusal
from components.shared.store.objects import Objects
from components.training.train_detector.learning.checkpoint import Checkpoints
from components.training.train_detector.plan.plan import PlanLayout


class TrainingStore:
    """One training's place in the object store, `trainings/<fingerprint>/`.

    Args:
        objects: The store, which also holds the snapshot's shards.
        fingerprint: Of the plan's lineage.
    """

    def __init__(self, objects: Objects, fingerprint: str) -> None:
        """Name the place; nothing is read."""
        self.objects = objects
        self.prefix = f"trainings/{fingerprint}"

    def complete(self) -> bool:
        """Say whether the outcome is there, whole."""
        return self.objects.exists(f"{self.prefix}/complete")

    def send_plan(self, folder: Path) -> None:
        """Store what workers need, from a folder laid out as `PlanLayout`."""
        layout = PlanLayout(folder)
        for part in (layout.snapshot, layout.warm):
            self.objects.put_folder(f"{self.prefix}/plan/{part.name}", part)
        self.objects.put(f"{self.prefix}/plan/{layout.plan.name}", layout.plan.read_bytes())

    def fetch_plan(self, folder: Path) -> None:
        """Fill a folder as `PlanLayout`.

        Raises:
            Refusal: If there is no such plan.
        """
        self.objects.get_folder(f"{self.prefix}/plan", folder)
        if not PlanLayout(folder).plan.exists():
            raise Refusal(f"{self.objects.uri(self.prefix)} holds no plan, expected plan/plan.json")

    def send_outcome(self, trained: Path) -> None:
        """Store a `TrainedLayout` folder, and the marker when all of it is there."""
        self.objects.put_folder(f"{self.prefix}/trained", trained)
        self.objects.put(f"{self.prefix}/complete", b"")

    def fetch_outcome(self, trained: Path) -> None:
        """Fill a folder as `TrainedLayout`."""
        self.objects.get_folder(f"{self.prefix}/trained", trained)

    def checkpoints(self, worker: int) -> Checkpoints:
        """Return a worker's checkpoints, from which a training that was cut short goes on."""
        return Checkpoints(self.objects, f"{self.prefix}/checkpoints", worker)

    def delete_intermediate(self) -> None:
        """Forget plan and checkpoints, which only an outcome that is not there yet needs."""
        for part in ("plan", "checkpoints"):
            self.objects.delete_folder(f"{self.prefix}/{part}")
