"""Trainings on a real API server: what happens to jobs, to launchers, and what two pods learn.

Where the training operator or the trainer runs in the cluster it is the controller of its jobs,
elsewhere the stand-in `tests.standins.training_operator`; pods, their names, logs, exit codes
and deletions are real, and the workers' image is the trainer's. Needs KUBECONFIG of a cluster
with the CRDs whose node has the image and reaches this machine, and an S3 by AWS_ENDPOINT_URL,
AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `tests.proofs.cluster_needs` checks all of it.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from kubernetes import client

from components.images import image
from components.shared.cluster.client import Cluster
from components.training.train_detector.launchers import tfjob, trainjob
from tests.proofs.controllers import controller_of, running_controllers
from tests.proofs.needs import need_cluster
from tests.proofs.sequences import play_all
from tests.proofs.stores import Relay
from tests.proofs.training.local import WITHIN_S, train_here
from tests.proofs.training.place import (
    NAMESPACE,
    fresh_objects,
    left,
    namespace,
    prepare,
    until,
)
from tests.proofs.training.proof import Proof


def main() -> int:
    """Prove all, say what was seen, and leave nothing behind."""
    need_cluster("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    api = client.ApiClient()
    with TemporaryDirectory() as name, namespace(api), Relay() as relay:
        folder, cluster = Path(name), Cluster(api, NAMESPACE)
        prepare(api, folder, relay)
        real = running_controllers(api)
        played = [kind for kind in (tfjob, trainjob) if kind.KIND.plural not in real]
        good = play_all(api, cluster, image("trainer"), played)
        good &= until(lambda: not left(cluster), WITHIN_S)
        local = train_here(folder)
        for kind in (tfjob, trainjob):
            with controller_of(kind, api, NAMESPACE, real), fresh_objects(folder):
                proof = Proof(cluster, kind, folder)
                good &= proof.learns_what(local)
                good &= proof.bears_the_loss_of_a_worker("deleted by force", 0, seed=2)
                good &= proof.bears_the_loss_of_a_worker("drained", None, seed=3)
                good &= proof.stops_when_told()
    print("all as it should be" if good else "NOT as it should be")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
