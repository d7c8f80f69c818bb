"""Rollouts on KServe, on a real API server: what is served, sent back, and refused beforehand.

KServe's controller is the stand-in `tests.standins.kserve`, which starts real servers; the
objects, their validation, conflicts and pruning are the API server's. Needs KUBECONFIG of a
cluster with KServe's definitions, where its config map and Gateway API's definition may be
made for the time of the proof.
"""

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from kubernetes import client

from components.promotion.deploy_model.kserve.capabilities import SERVICES, read_capabilities
from components.promotion.deploy_model.kserve.predictor import MODELS
from components.promotion.deploy_model.packages import registered
from components.shared.cluster.client import ConflictError
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import RegisteredLayout
from components.shared.inference.signature import sign
from components.shared.store.postgres import connect, migrate
from components.shared.store.registry import Registry
from pipelines.local.database import EmbeddedDatabase
from tests.proofs.merge import merge
from tests.proofs.needs import need_cluster, need_definition
from tests.proofs.serving_clients import JPEG, Clients
from tests.proofs.serving_cluster import SERVICE, able, namespace, wait
from tests.proofs.serving_stage import POLICY, SETTINGS, Stage, served, short, told

ROLLBACK_S = 30


def main() -> int:
    """Prove all, say what was seen, and leave nothing behind."""
    need_cluster()
    need_definition(SERVICES)
    api = client.ApiClient()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        stack.enter_context(namespace(api))
        database = stack.enter_context(EmbeddedDatabase(folder / "postgres"))
        connection = connect(database.url())
        stack.callback(connection.close)
        migrate(connection)
        proof = Proof(api, folder, Registry(connection))
        proof.refuses_what_would_do_nothing(stack)
        with proof.kserve, Clients(proof.kserve) as clients:
            proof.first_deployments(clients)
            proof.ramp_to_promotion(clients)
            proof.rollbacks(clients)
            proof.exchanges_in_place()
            proof.conflicts()
            proof.tampering()
            proof.says(f"{clients.asked:,} client requests", not clients.failed, clients.told())
        proof.says("rules of KServe's webhook broken", not proof.kserve.violations,
                   str(sorted(set(proof.kserve.violations))))  # fmt: skip
    return 0 if proof.good else 1


class Proof(Stage):
    """What is tried, scene by scene."""

    def refuses_what_would_do_nothing(self, stack: ExitStack) -> None:
        """Ask the cluster what it can do as it is, then make it able, and ask again."""
        for mode in ("Standard", "Knative"):
            settings = SETTINGS.model_copy(update={"mode": mode})
            self.model("toys", 0)
            try:
                self.target(settings).start("toys", self.model("toys", 0))
                self.says(f"{mode} mode is refused on this cluster as it is", False)
            except UserError as refusal:
                for sentence in str(refusal).split("; "):
                    self.says(f"{mode} refused", True, sentence)
        nothing = self.cluster.get(SERVICES, SERVICE) is None
        self.says("nothing was created by asking", nothing)
        stack.enter_context(able(self.api, SETTINGS.kserve_namespace))
        self.says(
            "the cluster is able now",
            wait(lambda: read_capabilities(self.cluster, SETTINGS).routes),
        )

    def first_deployments(self, clients: "Clients") -> None:
        """Two datasets on one server, each answered by its own model."""
        for dataset, shift in (("toys", 0), ("buses", 1)):
            model = self.model(dataset, shift)
            rollout, seconds = self.roll_out(dataset, model)
            self.says(f"first deployment of {dataset} in {seconds:.0f} s", served(rollout),
                      told(rollout))  # fmt: skip
            clients.expect(dataset, model)
        answers = {name: self.target().detect(name, JPEG, "stable") for name in ("toys", "buses")}
        models = {name: answer.model for name, answer in answers.items() if answer}
        one = len(self.kserve.deployments) == 1
        self.says("two datasets on one server, each by its own model",
                  models == clients.expected and one, short(models))  # fmt: skip

    def ramp_to_promotion(self, clients: "Clients") -> None:
        """A good candidate of one dataset is promoted, and the other one never notices."""
        model, before = self.model("toys", 0.5), clients.expected["toys"]
        clients.expect("toys", model, before)
        rollout, seconds = self.roll_out("toys", model)
        steps = [look.percent for look in getattr(rollout, "observations", [])]
        self.says(f"ramp to promotion in {seconds:.0f} s over {sorted(set(steps))} percent",
                  served(rollout), told(rollout))  # fmt: skip
        time.sleep(1)
        clients.expect("toys", model)
        time.sleep(2)
        spec = self.cluster.get(SERVICES, SERVICE)["spec"]  # type: ignore[index]
        name = spec["predictor"].get("name", "")
        self.says("promoted by spec and name, canary []",
                  name.startswith("r") and not spec.get("canary"), name)  # fmt: skip

    def rollbacks(self, clients: "Clients") -> None:
        """Candidates that never get ready, lie about it, or die at a share."""
        stable = next(iter(self.kserve.deployments))
        for number, (what, kind, word, verdict) in enumerate((
            ("never gets ready", "never_ready", True, True),
            ("ends at once", "spoil", {"PYTHONSAFEPATH": "1"}, True),
            ("gets no files", "init_fails", "Could not connect to the endpoint URL", False),
        )):  # fmt: skip
            model, before = self.model("toys", 0.6 + number / 20), getattr(self.kserve, kind)
            setattr(self.kserve, kind,
                    lambda name, word=word, before=before:
                    before(name) if name == stable else word)  # fmt: skip
            policy = POLICY.model_copy(update={"max_ready_s": 8})
            ended, _ = self.roll_out("toys", model, self.target(ready=8), policy)
            setattr(self.kserve, kind, before)
            challenger = self.registry.alias("toys", "challenger")
            kept = challenger is not None and challenger.model == model
            self.says(f"candidate that {what} {'is sent back' if verdict else 'stays challenger'}",
                      not served(ended) and kept != verdict, told(ended))  # fmt: skip
        self._dies_at_a_share(clients)

    def _dies_at_a_share(self, clients: "Clients") -> None:
        model, died = self.model("toys", 0.8), []
        stable = set(self.kserve.deployments)

        def kill() -> None:
            wait(lambda: any(0 < weight < 100 for weight, found in self.kserve.shares(SERVICE)
                             if found and found.name not in stable))  # fmt: skip
            for name in set(self.kserve.deployments) - stable:
                for pod in self.kserve.deployments[name].pods:
                    assert pod.server
                    pod.server.kill()
            died.append(time.monotonic())

        clients.forgive("toys", model)
        killer = threading.Thread(target=kill)
        killer.start()
        ended, _ = self.roll_out("toys", model)
        seconds = time.monotonic() - died[0]
        killer.join()
        clients.expect("toys", clients.expected["toys"])
        self.says(f"candidate that dies at its share is rolled back in {seconds:.1f} s",
                  not served(ended) and seconds <= ROLLBACK_S, told(ended))  # fmt: skip

    def exchanges_in_place(self) -> None:
        """A champion that is deployed again takes up what was decided since, under clients."""
        champion = self.registry.champion("toys")
        assert champion
        toys = champion.model
        spec = self.cluster.get(SERVICES, SERVICE)["spec"]  # type: ignore[index]
        ended, _ = self.roll_out("toys", toys)
        after = self.cluster.get(SERVICES, SERVICE)["spec"]  # type: ignore[index]
        self.says(
            "the champion deployed again as it is changes nothing", spec == after, told(ended)
        )
        settings = SETTINGS.model_copy(update={"image": "stand-in:2"})
        before = self._pods()
        ended, seconds = self.roll_out("toys", toys, self.target(settings))
        good = served(ended) and len(self.kserve.deployments) == 1
        self.says(f"a new image is in service in {seconds:.0f} s, by new pods of the same name",
                  good and not before & self._pods(), told(ended))  # fmt: skip
        root = self.folder / "toys-0.5"
        sign(root, root.with_suffix(".sig"), self.keys.private)
        layout = RegisteredLayout(RegisteredLayout.prefix(toys))
        self.objects.put(str(layout.signature), root.with_suffix(".sig").read_bytes())
        before = self._pods()
        ended, seconds = self.roll_out("toys", toys, self.target(settings))
        self.says(f"a new signature is in service in {seconds:.0f} s",
                  served(ended) and not before & self._pods(), told(ended))  # fmt: skip

    def _pods(self) -> set[str]:
        found = self.kserve.deployments.values()
        return {pod.ip for deployment in found for pod in deployment.ready}

    def conflicts(self) -> None:
        """Who was overtaken does not undo what is newer."""
        target, model = self.target(), self.model("toys", 0.9)
        target.fetch_package("toys", model, registered(self.objects, model))
        target.start("toys", model)
        try:
            self.target().start("buses", self.model("buses", 1.9))
            self.says("a second dataset on trial is refused", False)
        except ConflictError as conflict:
            self.says("a second dataset on trial is refused", True, str(conflict))
        newer = self.cluster.get(SERVICES, SERVICE)
        models = newer["spec"]["predictor"]["annotations"]  # type: ignore[index]
        kept = dict(models)
        models[MODELS] = models[MODELS].replace('"buses"', '"bikes"')
        stale = self.cluster.get(SERVICES, SERVICE)
        self.cluster.replace(SERVICES, newer)  # type: ignore[arg-type]
        try:
            target.serve("toys", model)
            self.says("a newer champion of another dataset is not undone", False)
        except ConflictError as conflict:
            self.says("a newer champion of another dataset is not undone", True, str(conflict))
        try:
            self.cluster.replace(SERVICES, stale)  # type: ignore[arg-type]
            self.says("the API server compares and swaps by resourceVersion", False)
        except ConflictError as conflict:
            self.says("the API server compares and swaps", True, str(conflict)[:90])
        target.remove_candidate("toys")
        before = {"spec": {"predictor": {"annotations": kept}}}
        merge(self.cluster, SERVICES, SERVICE, before)
        wait(lambda: self._settled(kept[MODELS]))

    def _settled(self, models: str) -> bool:
        """Say whether each Deployment has one pod, which is ready and serves these models."""
        return all(
            [(pod.ready, pod.template["annotations"][MODELS]) for pod in found.pods]
            == [(True, models)]
            for found in self.kserve.deployments.values()
        )

    def tampering(self) -> None:
        """A model whose signature is missing never comes into service, and says why."""
        model = self.model("toys", 1.1, signed=False)
        ended, seconds = self.roll_out("toys", model)
        self.says(f"an unsigned model is refused in {seconds:.0f} s",
                  "has no signature" in told(ended), told(ended))  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
