"""What keeps a candidate's server from running is an outage; what it does itself is not."""

import pytest

from components.promotion.deploy_model.target import PackageNotServedError
from components.shared.contracts.errors import OutageError, UserError
from tests.standins.kserve.written import condition
from tests.support.kserve_rollouts import JPEG

RESTRICTED = {
    "allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip


@pytest.fixture
def served(stage):
    target = stage.target()
    stage.serve(target, stage.model("toys"))
    return target


def enforce(stage, *containers):
    """Let the namespace be one that Pod Security guards, with some storage containers."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    stage.server.objects["namespaces", "cars"] = {"metadata": {"name": "cars", "labels": labels}}
    for name, context in containers:
        container = {"name": "storage-initializer", "image": "a"}
        container |= {"securityContext": context} if context else {}
        stage.server.objects["clusterstoragecontainers", name] = {
            "metadata": {"name": name},
            "spec": {"container": container, "supportedUriFormats": [{"prefix": "file://"}]},
        }


def test_kserve_of_august_2026_gives_its_storage_initializer_no_context_so_the_pod_is_refused(
    stage,
):
    enforce(stage, ("default", None))
    stage.server.forbidden = {"clusterstoragecontainers", "namespaces"}
    target = stage.target(ready=30)
    stage.kserve.restricted = lambda: True
    stage.kserve.storage = list

    with pytest.raises(OutageError) as outage:
        stage.start(target, "toys", stage.model())
    assert "no pod of the stable predictor is admitted: pods" in str(outage.value)
    assert 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation' in str(outage.value)
    assert "after 30 s" not in str(outage.value)


def test_kserves_conditions_leave_out_a_message_that_is_empty():
    said = condition("Ready", False, "MinimumReplicasUnavailable", "")

    assert said.keys() == {"type", "status", "lastTransitionTime", "reason"}


def test_a_refused_candidate_says_so_though_the_inference_service_does_not(stage, served):
    enforce(stage, ("default", None))
    stage.server.forbidden = {"namespaces", "clusterstoragecontainers"}
    stage.kserve.restricted = lambda: True
    stage.kserve.storage = list

    with pytest.raises(
        OutageError, match=r"no pod of the candidate predictor is admitted: .*PodSecurity"
    ):
        stage.start(served, "toys", stage.model(shift=1))


@pytest.mark.parametrize(
    ("name", "containers", "words"),
    [
        (None, [("default", None)], "enforces Pod Security restricted, and .* default has no such"),
        ("ours", [("default", None)], "no ClusterStorageContainer ours.*kserve-storage"),
        ("ours", [("ours", None)], "ClusterStorageContainer ours has no such security context"),
    ],
    ids=["not patched", "not applied", "without a context"],
)
def test_a_namespace_that_would_refuse_the_pods_is_told_before_anything_starts(
    stage, name, containers, words
):
    enforce(stage, *containers)

    with pytest.raises(UserError, match=words):
        stage.start(stage.target(storage_container=name), "toys", stage.model())
    assert stage.find("inferenceservices") is None


@pytest.mark.parametrize(
    ("name", "containers"),
    [("ours", [("default", None), ("ours", RESTRICTED)]), (None, [("default", RESTRICTED)])],
    ids=["named by the predictor", "the default one patched"],
)
def test_kserve_of_august_2026_admits_a_pod_whose_storage_container_is_restricted(
    stage, name, containers
):
    enforce(stage, *containers)
    target, model = stage.target(storage_container=name), stage.model()
    stage.serve(target, model)

    assert target.detect("toys", JPEG, "stable").model == model
    assert stage.spec["predictor"].get("storageContainerName") == name


def test_kserve_before_0_20_does_not_know_the_field_that_names_a_storage_container(stage):
    def prune(kind, body):
        if kind == "inferenceservices":
            body["spec"]["predictor"].pop("storageContainerName", None)
        return body

    stage.server.prune = prune

    with pytest.raises(UserError, match=r"does not know storageContainerName.* 0\.20.*patch"):
        stage.start(stage.target(storage_container="ours"), "toys", stage.model())


def test_kserve_of_august_2026_lacks_tracing_and_splits_requests_all_the_same(stage, served):
    stage.server.prune = lambda kind, body: (
        body | {"spec": {name: part for name, part in body["spec"].items() if name != "tracing"}}
    )
    stage.start(served, "toys", stage.model(shift=1))
    served.set_share("toys", 25)

    assert dict(stage.kserve.written.route("cars"))[stage.canary.name] == 25


def test_kserve_that_splits_no_requests_is_found_out_at_the_first_share(stage, served, monkeypatch):
    monkeypatch.setattr(
        stage.kserve.written, "write_route",
        lambda name, stable, canaries: None,
    )  # fmt: skip
    stage.start(served, "toys", stage.model(shift=1))
    monkeypatch.setattr("components.promotion.deploy_model.kserve.shares.FOLLOW_S", 1)

    with pytest.raises(OutageError, match=r"HTTPRoute cars sends 0 % to cars-r.*, expected 5 %"):
        served.set_share("toys", 5)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("init_fails", "cannot be started: storage-initializer ended with 1: Could not connect"),
        ("unschedulable", "has no node: 0/3 nodes: Insufficient cpu"),
    ],
)
def test_files_or_a_node_that_are_missing_are_an_outage(stage, served, fault, words):
    said = {"init_fails": "Could not connect to s3", "unschedulable": "0/3 nodes: Insufficient cpu"}
    stable = stage.stable.name
    setattr(stage.kserve, fault, lambda name: "" if name == stable else said[fault])

    with pytest.raises(OutageError, match=words):
        stage.start(stage.target(ready=2), "toys", stage.model(shift=1))


def test_a_server_that_ends_by_itself_is_the_candidates_own_failure(stage, served):
    stable = stage.stable.name
    stage.kserve.spoil = lambda name: (
        {} if name == stable else {"EXIT_CODE": "2", "LAST_WORDS": "toys has no signature"}
    )

    with pytest.raises(PackageNotServedError, match="ended with 2: toys has no signature"):
        stage.start(served, "toys", stage.model(shift=1))


def test_a_server_that_runs_and_never_gets_ready_is_the_candidates_own_failure(stage, served):
    stable = stage.stable.name
    stage.kserve.never_ready = lambda name: name != stable

    with pytest.raises(
        PackageNotServedError, match="the candidate predictor is not ready after 1 s"
    ):
        stage.start(stage.target(ready=1), "toys", stage.model(shift=1))


def test_a_pod_that_is_drained_is_told_apart_from_one_that_crashes(stage, served):
    stage.start(served, "toys", stage.model(shift=1))
    before = served.disruption("toys")
    (pod,) = stage.canary.pods
    stage.server.objects.pop(("pods", pod.name))

    assert before is None
    assert f"pod {pod.name} is gone" in served.disruption("toys")


def test_a_pod_whose_server_crashes_was_not_taken_away(stage, served):
    stage.start(served, "toys", stage.model(shift=1))
    (pod,) = stage.canary.pods
    pod.server.kill()
    served._until._service.until(
        lambda it: "it runs" if stage.canary.ready else None, 5, "it is not seen"
    )

    assert served.disruption("toys") is None


def test_a_pod_is_listed_no_more_when_its_server_is_stopped(stage, served, monkeypatch):
    (pod,) = stage.stable.pods
    listed, stop = [], pod.server.stop
    monkeypatch.setattr(
        pod.server, "stop",
        lambda: (listed.append(("pods", pod.name) in stage.server.objects), stop()),
    )  # fmt: skip
    pod.end()

    assert listed[0] is False


def test_pods_that_an_exchange_replaces_were_not_taken_away(stage, served):
    stage.kserve.never_ready = lambda name: True
    served._until._ready_seconds = 2

    with pytest.raises(PackageNotServedError, match="the stable predictor is not ready after 2 s"):
        stage.serve(served, stage.model(shift=1))


def test_the_pods_that_serve_stably_are_not_those_of_a_candidate(stage, served):
    stage.start(served, "toys", stage.model(shift=1))
    (stable,) = stage.stable.pods
    stage.server.objects.pop(("pods", stable.name))

    assert served.disruption("toys") is None
    assert f"pod {stable.name} is gone" in served._until.disruption("stable")
