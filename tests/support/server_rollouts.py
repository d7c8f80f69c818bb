"""A dataset whose models are rolled out on real servers."""

import itertools

from components.promotion.deploy_model.deploy import deploy
from components.promotion.deploy_model.packages import registered
from components.promotion.deploy_model.rollout import about
from components.promotion.deploy_model.server import ServerTarget
from components.shared.contracts.policy import RolloutPolicy
from components.shared.store.registry import Registry
from tests.support.tiny_packages import jpeg_of, scene, seal

JPEG = jpeg_of(scene({(1, 2): 0}))
QUICK = RolloutPolicy(
    steps=(0, 5, 100),
    min_step_s=0,
    min_requests=2,
    look_every_s=0,
    max_latency_ratio=50,
    min_boxes=2,
)
numbers = itertools.count()


class Bench:
    """One dataset with its registry, its packages in the object store, and the servers."""

    def __init__(self, connection, objects, door, tiny_package):
        self.dataset = f"bench-{next(numbers)}"
        self.registry = Registry(connection)
        self.objects, self.door, self.tiny_package = objects, door, tiny_package
        front, stable, candidate = door.addresses
        self.target = ServerTarget(front, stable, candidate, door.package_store, ready_seconds=10)

    def register(self, shift=0.0, spoil=None, against=None):
        """Make a package, store it, register it, and return its digest."""
        package = self.tiny_package(dataset=self.dataset, shift=shift)
        if spoil:
            spoil(package)
            seal(package, self.dataset, ("car",))
        model = package.verify().digest
        self.objects.put_folder(f"models/{model}/package", package.root)
        self.registry.register(
            self.dataset, model, self.objects.uri(f"models/{model}"), "0" * 64, {}, {}, "a test",
            compared_with=against,
        )  # fmt: skip
        return model

    def roll_out(self, model, target=None, run=""):
        version = about(self.registry, self.dataset, model, run)
        fetch = registered(self.objects, version.model)
        return deploy(self.registry, target or self.target, version, fetch, [], QUICK, run=run)

    def deploy(self, model, target=None, run=""):
        rollout = self.roll_out(model, target, run)
        champion = self.registry.champion(self.dataset)
        assert champion
        assert rollout.model() == champion.model
        return rollout

    @property
    def state(self):
        """What serves, what is current on the package store, who is champion: all should agree."""
        answer = self.target.detect(self.dataset, JPEG, "stable")
        champion = self.registry.champion(self.dataset)
        return (
            answer.model if answer else None,
            self.door.package_store.current(self.dataset),
            champion.model if champion else None,
        )

    @property
    def trial(self):
        """What is left of a trial: nothing should be."""
        package_store, asked = (
            self.door.package_store,
            self.target.detect(self.dataset, JPEG, "candidate"),
        )
        return (
            asked,
            package_store.current(self.dataset, "candidate"),
            package_store.share(self.dataset),
        )

    def audit(self):
        return [entry.action for entry in self.registry.history(self.dataset)]
