"""What serves is exchanged in place when settings or signatures changed, and only then."""

import itertools

import obstore.exceptions
import pytest

from components.promotion.deploy_model.kserve.canary import canary_of
from components.promotion.deploy_model.kserve.own_server import OwnServer
from components.promotion.deploy_model.kserve.plans import Plans
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.target import KServeTarget
from components.shared.cluster.client import Cluster
from components.shared.contracts.errors import OutageError
from components.shared.inference.package_store import PackageStore
from components.shared.inference.signature import make_keys
from components.shared.store.objects import Objects
from tests.standins.api_server import ApiServer
from tests.support.kserve_releases import registered_model

both_modes = pytest.mark.parametrize("mode", ["Standard", "Knative"])


class Bench:
    """An InferenceService of two datasets, and targets as new runs have them."""

    def __init__(self, server, api, objects, tiny_package, folder):
        self.server, self.cluster, self.objects = server, Cluster(api, "cars"), objects
        self.tiny_package = tiny_package
        self.shelves = (PackageStore(folder / str(number)) for number in itertools.count())
        self.models = {name: self.register(name) for name in ("toys", "buses")}

    def register(self, dataset, shift=0, key=None):
        package = self.tiny_package(dataset=dataset, shift=shift)
        return registered_model(self.objects, package, key)

    def target(self, kind=OwnServer, **changes):
        """A target that waits for nothing: nobody looks after the object here."""
        settings = PredictorSettings(**{"image": "a", "visibility": "external"} | changes)
        server = kind(self.objects, settings, next(self.shelves))
        return KServeTarget(self.cluster, "cars", server, settings, ready_seconds=0, turn_seconds=0)

    def create(self, **changes):
        """Have the object as a first deployment leaves it."""
        settings, plans, predictor = self.wanted(self.models, **changes)
        self.server.objects["inferenceservices", "cars"] = stored(plans.new("cars", predictor))
        return settings, plans

    def wanted(self, models, **changes):
        settings = PredictorSettings(**{"image": "a", "visibility": "external"} | changes)
        server = OwnServer(self.objects, settings, next(self.shelves))
        plans = Plans(settings, canary_of(settings))
        return settings, plans, server.predictor(server.release(models))

    def promote(self, model, **changes):
        """Go the way of a rollout, as far as the object shows it."""
        settings, plans = self.create(**changes)
        server = OwnServer(self.objects, settings, next(self.shelves))
        release = server.release(self.models | {"toys": model})
        begun = plans.begun(self.found, "toys", server.predictor(release), release)
        self.server.objects["inferenceservices", "cars"] = plans.promoted(begun, "toys", model)

    @property
    def found(self):
        return self.server.objects["inferenceservices", "cars"]


class Cut(OwnServer):
    """A server whose object store went away."""

    def release(self, models):
        raise obstore.exceptions.GenericError("the object store does not answer")


def stored(service):
    return service | {"metadata": service["metadata"] | {"resourceVersion": "1", "generation": 1}}


@pytest.fixture
def bench(object_store, tiny_package, tmp_path):
    server = ApiServer()
    with server.client() as api:
        yield Bench(server, api, Objects(object_store), tiny_package, tmp_path / "shelves")


@both_modes
def test_what_serves_as_it_is_wanted_is_current(bench, mode):
    bench.create(mode=mode)

    assert bench.target(mode=mode).is_current("toys", bench.models["toys"])
    assert not bench.target(mode=mode).is_current("toys", "0" * 64)


@both_modes
def test_what_was_promoted_is_current(bench, mode):
    model = bench.register("toys", shift=1)
    bench.promote(model, mode=mode)

    assert bench.target(mode=mode).is_current("toys", model)
    assert bench.target(mode=mode).is_current("buses", bench.models["buses"])


def test_what_is_not_there_is_not_current(bench):
    assert not bench.target().is_current("toys", bench.models["toys"])


@both_modes
@pytest.mark.parametrize(
    "change", [{"image": "b"}, {"min_replicas": 2}, {"node_selector": {"pool": "serving"}}]
)
def test_the_same_model_with_other_settings_is_exchanged_in_place(bench, mode, change):
    bench.create(mode=mode)
    before = bench.found["spec"]["predictor"]
    target = bench.target(mode=mode, **change)
    current = target.is_current("toys", bench.models["toys"])
    with pytest.raises(OutageError, match="the stable predictor is not ready after 0 s"):
        target.serve("toys", bench.models["toys"])
    after = bench.found["spec"]["predictor"]

    assert not current
    assert after != before
    assert after.get("name") == before.get("name")
    assert target.is_current("toys", bench.models["toys"])


@both_modes
def test_the_same_model_with_a_new_signature_is_exchanged_in_place(bench, mode, tmp_path):
    bench.create(mode=mode)
    (before,) = bench.found["spec"]["predictor"]["containers"]
    bench.register("toys", key=make_keys(tmp_path / "keys").private)
    target = bench.target(mode=mode)
    current = target.is_current("toys", bench.models["toys"])
    with pytest.raises(OutageError, match="the stable predictor is not ready after 0 s"):
        target.serve("toys", bench.models["toys"])
    (after,) = bench.found["spec"]["predictor"]["containers"]

    assert not current
    assert before["env"][0]["name"] == after["env"][0]["name"] == "STORAGE_URI"
    assert before["env"][0]["value"] != after["env"][0]["value"]


def test_what_someone_changed_by_hand_is_not_current(bench):
    bench.create()
    bench.found["spec"]["predictor"]["containers"][0]["image"] = "by-hand"

    assert not bench.target().is_current("toys", bench.models["toys"])


@both_modes
def test_more_replicas_start_no_pod_anew(bench, mode):
    _, _, one = bench.wanted(bench.models, mode=mode)
    _, _, more = bench.wanted(bench.models, mode=mode, min_replicas=3)

    assert one == more


@both_modes
def test_a_trial_of_another_dataset_goes_on_while_a_champion_is_deployed_again(bench, mode):
    settings, plans = bench.create(mode=mode)
    server = OwnServer(bench.objects, settings, next(bench.shelves))
    release = server.release(bench.models | {"toys": bench.register("toys", shift=1)})
    begun = plans.begun(bench.found, "toys", server.predictor(release), release)
    bench.server.objects["inferenceservices", "cars"] = begun

    assert bench.target(mode=mode, image="b").is_current("buses", bench.models["buses"])
    assert not bench.target(mode=mode).is_current("toys", bench.models["toys"])
    assert bench.found == begun


def test_a_trial_ends_though_the_object_store_is_away(bench):
    settings, plans = bench.create(mode="Knative")
    server = OwnServer(bench.objects, settings, next(bench.shelves))
    release = server.release(bench.models | {"toys": bench.register("toys", shift=1)})
    begun = plans.begun(bench.found, "toys", server.predictor(release), release)
    traffic = [{"latestRevision": True, "percent": 0}, {"percent": 100}]
    status = {"components": {"predictor": {"traffic": traffic}}}
    shared = plans.shared(begun, "toys", 25) | {"status": status}
    bench.server.objects["inferenceservices", "cars"] = shared
    target = bench.target(Cut, mode="Knative")
    target.remove_candidate("toys")

    assert bench.found["spec"]["predictor"]["canaryTrafficPercent"] == 0
    assert target.stable_model("toys") == bench.models["toys"]
