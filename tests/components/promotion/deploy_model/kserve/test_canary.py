"""Patches as stories: what becomes of the InferenceService, step by step."""

from copy import deepcopy

import pytest
import yaml

from components.promotion.deploy_model.kserve.canary import canary_of
from components.promotion.deploy_model.kserve.plans import Plans
from components.promotion.deploy_model.kserve.predictor import (
    MADE,
    own_server,
    scaled,
    service_body,
    triton_server,
)
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.release import Release
from components.shared.cluster.client import ConflictError
from components.shared.contracts.errors import OutageError, UserError
from tests.support.kserve_releases import BUSES, NEW, OLD, release


def settings(**changes):
    return PredictorSettings(image="registry/serving@sha256:0", **changes)


def told(service):
    """The part of an InferenceService that a rollout moves, for people."""
    short = deepcopy(service["spec"])
    for predictor in [short["predictor"], *(each["predictor"] for each in short.get("canary", []))]:
        uri = predictor.pop("containers")[0]["env"][0]["value"]
        predictor["uri"] = uri[:24]
        for name in ("volumes", "serviceAccountName", "timeout", "enableServiceLinks",
                     "automountServiceAccountToken"):  # fmt: skip
            predictor.pop(name, None)
        predictor["annotations"] = {
            key.rpartition("/")[2]: text[:17]
            for key, text in predictor["annotations"].items()
            if key != MADE
        }
    return {"annotations": service["metadata"]["annotations"], **short}


def story(mode, **changes):
    """First deployment, ramp to promotion, another ramp to rollback, an exchange."""
    chosen = settings(mode=mode, **changes)
    canary = canary_of(chosen)
    plans = Plans(chosen, canary)
    first, second, third = release("1", toys=OLD), release("2", toys=NEW), release("3", toys=BUSES)
    service = plans.new("car-detector", own_server(chosen, first))
    steps = {"created": service}
    service = steps["begun"] = plans.begun(service, "toys", own_server(chosen, second), second)
    for percent in (5, 25, 100):
        service = plans.grown(service, "toys", canary.replicas(percent, 4))
        service = steps[f"{percent} percent"] = plans.shared(service, "toys", percent)
    service = steps["promoted"] = plans.promoted(service, "toys", NEW)
    service = steps["begun again"] = plans.begun(service, "toys", own_server(chosen, third), third)
    if mode == "Standard":
        service = steps["rolled back"] = canary.ended(service)
    else:
        service = steps["rolled back"] = canary.restored(service, own_server(chosen, second))
        service = steps["settled"] = canary.promoted(service)
    before = {"toys": NEW}
    service = steps["exchanged"] = plans.exchanged(service, own_server(chosen, first), before)
    return "".join(
        f"# {name}\n{yaml.safe_dump(told(each), sort_keys=False)}\n" for name, each in steps.items()
    )


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_a_rollout_in_each_mode_is_this_story(mode, golden):
    golden(f"{mode.lower()}.txt", story(mode, min_replicas=3, max_replicas=5))


@pytest.fixture
def plans():
    chosen = settings()
    return Plans(chosen, canary_of(chosen))


def serving(**models):
    predictor = own_server(settings(), release("1", **models))
    return service_body(settings(), "car-detector", scaled(settings(), predictor))


def begun(plans, service, dataset, **models):
    new = release("2", **models)
    return plans.begun(service, dataset, own_server(settings(), new), new)


def test_a_candidate_has_a_name_of_its_own_and_one_replica_at_no_share(plans):
    service = begun(plans, serving(toys=OLD), "toys", toys=NEW)
    (canary,) = service["spec"]["canary"]

    assert (canary["trafficPercent"], canary["predictor"]["minReplicas"]) == (0, 1)
    assert canary["predictor"]["name"] == "r2222222222"
    assert "maxReplicas" not in canary["predictor"]  # KServe's webhook wants none


@pytest.mark.parametrize(
    ("percent", "pods", "replicas"), [(0, 3, 1), (5, 3, 1), (25, 8, 2), (100, 1, 3), (100, 5, 5)]
)
def test_a_share_needs_as_much_of_the_pods_that_serve_now(percent, pods, replicas):
    assert canary_of(settings(min_replicas=3)).replicas(percent, pods) == replicas


def test_a_candidate_never_takes_the_name_of_who_is_stable(plans):
    service = serving(toys=OLD)
    service["spec"]["predictor"]["name"] = "r2222222222"
    new = Release("2" * 10 + "3" * 54, "s3://models/a", {"toys": NEW})
    again = plans.begun(service, "toys", own_server(settings(), new), new)

    assert again["spec"]["canary"][0]["predictor"]["name"] == "r3333333333"


def test_promotion_moves_spec_and_name_so_that_no_pod_starts_anew(plans):
    service = begun(plans, serving(toys=OLD), "toys", toys=NEW)
    canary = service["spec"]["canary"][0]["predictor"]
    promoted = plans.promoted(service, "toys", NEW)["spec"]
    scaling = {"minReplicas", "maxReplicas"}

    assert {k: v for k, v in promoted["predictor"].items() if k not in scaling} == {
        k: v for k, v in canary.items() if k not in scaling
    }
    assert promoted["canary"] == []


def test_the_other_datasets_go_along_with_a_candidate(plans):
    service = begun(plans, serving(toys=OLD, buses=BUSES), "toys", toys=NEW, buses=BUSES)

    assert plans.on_trial(service) == {"toys": NEW}
    assert plans.models(plans.promoted(service, "toys", NEW), "stable") == {
        "toys": NEW,
        "buses": BUSES,
    }


def test_two_datasets_are_never_on_trial_at_once(plans):
    service = begun(plans, serving(toys=OLD, buses=BUSES), "toys", toys=NEW, buses=BUSES)

    with pytest.raises(ConflictError, match="toys is on trial"):
        begun(plans, service, "buses", toys=OLD, buses=NEW)


def test_the_same_candidate_again_changes_nothing(plans):
    service = begun(plans, serving(toys=OLD), "toys", toys=NEW)

    assert begun(plans, service, "toys", toys=NEW) == service


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_a_candidate_that_a_killed_run_left_a_share_begins_again_at_none(mode):
    chosen = settings(mode=mode)
    canary = canary_of(chosen)
    plans = Plans(chosen, canary)
    at_first = begun(plans, serving(toys=OLD), "toys", toys=NEW)
    left = plans.shared(at_first, "toys", 25)

    assert canary.percent(left) == 25
    assert begun(plans, left, "toys", toys=NEW) == at_first


def test_a_candidate_that_a_killed_run_left_is_made_anew_with_other_settings(plans):
    left = plans.shared(begun(plans, serving(toys=OLD), "toys", toys=NEW), "toys", 25)
    new, other = release("2", toys=NEW), PredictorSettings(image="registry/serving:2")
    (canary,) = plans.begun(left, "toys", own_server(other, new), new)["spec"]["canary"]

    assert canary["trafficPercent"] == 0
    assert canary["predictor"]["containers"][0]["image"] == "registry/serving:2"


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
@pytest.mark.parametrize(
    ("serves", "comes", "names"),
    [
        (own_server, triton_server, "DETECTOR_TARGET kserve, expected triton"),
        (triton_server, own_server, "DETECTOR_TARGET triton, expected kserve"),
    ],
)
def test_another_server_never_goes_on_trial_beside_one_but_takes_its_place(
    mode, serves, comes, names
):
    chosen, old, new = settings(mode=mode), release("1", toys=OLD), release("2", toys=NEW)
    plans = Plans(chosen, canary_of(chosen))
    service = plans.new("car-detector", serves(chosen, old))

    with pytest.raises(UserError, match=f"{names}: deploy a champion again"):
        plans.begun(service, "toys", comes(chosen, new), new)
    exchanged = plans.exchanged(service, comes(chosen, old), {"toys": OLD})
    assert ("model" in exchanged["spec"]["predictor"]) == (comes is triton_server)
    assert ("containers" in exchanged["spec"]["predictor"]) == (comes is own_server)


def test_a_candidate_that_was_made_before_another_promotion_is_not_begun(plans):
    service = serving(toys=OLD, buses=NEW)

    with pytest.raises(ConflictError, match="another dataset got a new model"):
        begun(plans, service, "toys", toys=NEW, buses=BUSES)


def test_a_candidate_is_not_promoted_over_a_newer_champion_of_another_dataset(plans):
    service = begun(plans, serving(toys=OLD, buses=BUSES), "toys", toys=NEW, buses=BUSES)
    newer = serving(toys=OLD, buses=NEW)["spec"]["predictor"]
    service["spec"]["predictor"] = newer

    with pytest.raises(ConflictError, match="someone else deployed meanwhile"):
        plans.promoted(service, "toys", NEW)


def test_a_share_is_given_only_to_what_is_on_trial(plans):
    with pytest.raises(OutageError, match="toys is not on trial"):
        plans.shared(serving(toys=OLD), "toys", 5)


def test_what_the_status_says_of_other_shares_is_old(plans):
    service = begun(plans, serving(toys=OLD), "toys", toys=NEW)
    canary = canary_of(settings())
    name = service["spec"]["canary"][0]["predictor"]["name"]
    status = {"canaryStatuses": [{"name": name, "ready": True, "trafficPercent": 0}]}

    assert not canary.reconciled(service)
    assert canary.reconciled(service | {"status": status})
    assert not canary.reconciled(canary.shared(service, 5) | {"status": status})


def test_knative_is_believed_by_where_requests_really_go():
    canary = canary_of(settings(mode="Knative"))
    spec = {"predictor": {"canaryTrafficPercent": 5}}
    targets = [
        {"latestRevision": True, "percent": 5, "revisionName": "b"},
        {"latestRevision": False, "percent": 95, "revisionName": "a", "tag": "prev"},
    ]
    status = {"components": {"predictor": {"traffic": targets}}}
    service = {"metadata": {}, "spec": spec, "status": status}

    assert canary.reconciled(service)
    assert not canary.reconciled(canary.shared(service, 25))
