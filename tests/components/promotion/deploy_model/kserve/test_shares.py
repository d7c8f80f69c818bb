"""What clients meet while a candidate comes, goes or is promoted, on KServe of August 2026."""

import threading
import time

import pytest

from components.promotion.deploy_model.kserve.capabilities import SERVICES
from components.promotion.deploy_model.kserve.predictor import MODELS
from components.promotion.deploy_model.target import PackageNotServedError
from components.shared.cluster.client import ConflictError
from components.shared.contracts.errors import OutageError


@pytest.fixture
def served(stage):
    """Two datasets that are served, and a target."""
    target = stage.target()
    stage.serve(target, stage.model("toys"), stage.model("buses"))
    return target


def test_kserve_of_august_2026_breaks_clients_when_a_canary_with_a_share_ends_in_one_write(
    stage, served
):
    stage.start(served, "toys", stage.model(shift=1))
    served.set_share("toys", 100)
    body = stage.find("inferenceservices")
    with stage.clients("toys", "buses") as clients:
        stage.cluster.replace(SERVICES,
                              body | {"spec": body["spec"] | {"canary": []}})  # fmt: skip
        served._until.reconciled("the canary is there")

    assert clients.met["500: the backend does not exist"]
    done = [what for what, _ in stage.kserve.happened]
    last = len(done) - 1 - done[::-1].index("delete deployment")
    assert done[last : last + 3] == ["delete deployment", "delete service", "write route"]


def test_kserve_of_august_2026_ends_a_canary_after_its_route_has_weight_0_and_no_client_fails(
    stage, served
):
    stage.start(served, "toys", stage.model(shift=1))
    served.set_share("toys", 100)
    with stage.clients("toys", "buses") as clients:
        served.remove_candidate("toys")

    assert clients.met["answered"] > 20
    assert clients.failed == 0
    assert not stage.spec["canary"]
    assert len(stage.kserve.deployments) == 1


def test_a_candidate_that_a_killed_run_left_a_share_is_replaced_and_no_client_fails(stage, served):
    stage.start(served, "toys", stage.model(shift=1))
    served.set_share("toys", 50)
    model = stage.model(shift=2)
    with stage.clients("toys", "buses") as clients:
        stage.start(stage.target(), "toys", model)

    assert clients.met["answered"] > 20
    assert clients.failed == 0
    assert served._plans.on_trial(stage.find("inferenceservices")) == {"toys": model}


def test_kserve_of_august_2026_promotes_a_first_model_from_0_percent_and_no_client_fails(stage):
    target = stage.target()
    stage.serve(target, stage.model("toys"))
    model = stage.model("buses")
    stage.start(target, "buses", model)
    with stage.clients("toys") as clients:
        target.serve("buses", model)

    assert clients.met["answered"] > 20
    assert clients.failed == 0
    assert target.stable_model("buses") == model


def test_a_candidate_that_lacks_what_was_promoted_meanwhile_gets_no_request(stage, served):
    stage.start(served, "toys", model := stage.model(shift=1))
    body = stage.find("inferenceservices")
    noted = body["spec"]["predictor"]["annotations"]
    noted[MODELS] = noted[MODELS].replace('"buses"', '"bikes"')
    stage.cluster.replace(SERVICES, body)
    with pytest.raises(ConflictError, match="someone else deployed meanwhile"):
        served.serve("toys", model)

    assert stage.spec["canary"][0]["trafficPercent"] == 0


def test_a_candidate_that_ends_as_it_gets_its_share_is_not_waited_for(stage, served, monkeypatch):
    def writes(name, stable, canaries):
        for canary, deployment, _ in canaries:
            for pod in deployment.pods if canary["trafficPercent"] else []:
                pod.server.kill()
        write(name, stable, [])  # who is not ready gets nothing

    write = stage.kserve.written.write_route
    monkeypatch.setattr(stage.kserve.written, "write_route", writes)
    stage.start(served, "toys", stage.model(shift=1))

    with pytest.raises(PackageNotServedError, match="ended with 137"):
        served.set_share("toys", 5)


def test_kserve_of_august_2026_leaves_autoscalers_that_a_rollout_removes(stage):
    scaled = {"max_replicas": 3, "scale_metric": "cpu"}
    target = stage.target(**scaled)
    stage.serve(target, stage.model("toys"))
    stage.start(target, "toys", model := stage.model(shift=1))
    during = {name for kind, name in stage.server.objects if kind == "horizontalpodautoscalers"}
    target.serve("toys", model)
    after = {name for kind, name in stage.server.objects if kind == "horizontalpodautoscalers"}
    stage.start(target, "toys", stage.model(shift=2))
    target.remove_candidate("toys")
    ended = {name for kind, name in stage.server.objects if kind == "horizontalpodautoscalers"}

    assert len(during) == 2
    assert after == ended == {stage.stable.name}


@pytest.mark.parametrize("replicas", [1, 2])
def test_kserve_of_august_2026_takes_replicas_off_when_a_canary_is_ready_and_none_is_missing(
    stage, replicas
):
    target = stage.target(min_replicas=replicas, max_replicas=replicas)
    stage.serve(target, stage.model("toys"))
    before = {pod.name for pod in stage.stable.pods}
    # The canary loads its model until the stable side was lent a replica for it.
    stage.kserve.never_ready = lambda name: (
        name != stage.stable.name and stage.spec["predictor"]["minReplicas"] == replicas > 1
    )
    stage.start(target, "toys", stage.model(shift=1))
    target.set_share("toys", 5)

    assert {pod.name for pod in stage.stable.ready} == before
    assert stage.stable.replicas == replicas
    assert stage.stable.most <= replicas + (replicas > 1)


def test_a_single_stable_pod_gets_no_other_beside_it_in_a_trial(stage, served):
    stage.stable.most = 0
    stage.start(served, "toys", stage.model(shift=1))
    served.set_share("toys", 25)

    assert stage.stable.most == 1
    assert stage.spec["predictor"]["minReplicas"] == 1


def test_kserve_of_august_2026_gone_in_a_ramp_is_told_in_one_sentence_with_the_shares(
    stage, served
):
    old, new = served.stable_model("toys"), stage.model(shift=1)
    stage.start(served, "toys", new)
    served.set_share("toys", 5)
    stage.kserve.away = True

    with pytest.raises(OutageError) as outage:
        served.set_share("toys", 25)
    assert str(outage.value) == (
        f"KServe does not follow, its webhook does not answer: 95 % of the requests go to "
        f"{old[:12]} and 5 % to {new[:12]} until it does; deploy again then, "
        "which ends the trial"
    )
    with pytest.raises(OutageError, match="its webhook does not answer"):
        served.remove_candidate("toys")
    stage.kserve.away = False
    served.remove_candidate("toys")
    assert not stage.spec["canary"]


def test_kserve_of_august_2026_takes_an_unready_canary_out_of_the_route_by_itself(stage, served):
    stage.start(served, "toys", stage.model(shift=1))
    served.set_share("toys", 25)
    name = stage.canary.name
    stage.kserve.never_ready = lambda deployment: deployment == name
    served._until._service.until(
        lambda _: served._shares._routes.unlike(name, 0), 5, "the route leads to it"
    )

    assert dict(stage.kserve.written.route("cars")) == {stage.stable.name: 100}


def test_a_second_dataset_waits_until_the_first_ones_trial_has_ended(stage, served, capsys):
    stage.start(served, "toys", stage.model(shift=1))
    other, model = stage.target(turn=10), stage.model("buses", shift=2)
    begun = threading.Thread(target=stage.start, args=(other, "buses", model))
    begun.start()
    said, deadline = "", time.monotonic() + 10
    while "waiting: toys is on trial in this InferenceService" not in said:
        assert time.monotonic() < deadline
        said += capsys.readouterr().out
        time.sleep(0.05)
    served.remove_candidate("toys")
    begun.join()

    assert other._plans.on_trial(stage.find("inferenceservices")) == {"buses": model}


def test_a_second_dataset_does_not_wait_for_ever(stage, served):
    stage.start(served, "toys", stage.model(shift=1))

    with pytest.raises(
        OutageError, match="toys is on trial in this InferenceService: try again when"
    ):
        stage.start(stage.target(turn=0.2), "buses", stage.model("buses", shift=2))


def test_a_dataset_that_waits_for_its_turn_reads_and_sends_no_packages(stage, served, monkeypatch):
    stage.start(served, "toys", stage.model(shift=1))
    waits, released = stage.target(turn=0.2), []
    monkeypatch.setattr(waits._server, "release", released.append)

    with pytest.raises(OutageError, match="toys is on trial"):
        stage.start(waits, "buses", stage.model("buses", shift=2))
    with pytest.raises(OutageError, match="toys is on trial"):
        waits.serve("buses", None)
    assert not released
