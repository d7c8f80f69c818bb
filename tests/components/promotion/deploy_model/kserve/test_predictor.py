from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from components.promotion.deploy_model.kserve.canary import canary_of
from components.promotion.deploy_model.kserve.plans import Plans
from components.promotion.deploy_model.kserve.predictor import (
    own_server,
    service_body,
    triton_server,
)
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.shared.contracts.errors import UserError
from components.shared.settings.policy_file import MOUNT
from tests.support.kserve_releases import NEW, OLD, release

CRD = (
    Path(__file__).parents[6] / "shared/crds/kserve-0.20.0/serving.kserve.io_inferenceservices.yaml"
)
FULL = """
image: registry/serving:1
min_replicas: 2
max_replicas: 6
scale_target: 70
requests: {cpu: "2", memory: 1Gi}
storage_secret: car-serving-objects
public_key: car-public-key
node_selector: {pool: serving}
tolerations: [{key: serving, operator: Exists, effect: NoSchedule}]
priority_class: high
"""


def services(mode, server, text=FULL):
    """Every shape that an InferenceService has on the way."""
    settings = PredictorSettings.parse(f"{text}\nmode: {mode}")
    canary = canary_of(settings)
    plans, new = Plans(settings, canary), release("2", toys=NEW)
    stable = plans.new("car-detector", server(settings, release("1", toys=OLD)))
    begun = plans.begun(stable, "toys", server(settings, new), new)
    shared = plans.shared(begun, "toys", 25)
    back = (
        canary.ended(shared)
        if mode == "Standard"
        else canary.restored(shared, begun["spec"]["predictor"])
    )
    return [stable, begun, shared, plans.promoted(shared, "toys", NEW), back]


def strict(schema):
    """A CRD's schema that knows every field, as the API server prunes what it does not know."""
    if isinstance(schema, dict):
        schema = {name: strict(part) for name, part in schema.items()}
        if schema.get("x-kubernetes-int-or-string"):
            return {}
        if "properties" in schema and "additionalProperties" not in schema:
            schema["additionalProperties"] = bool(
                schema.get("x-kubernetes-preserve-unknown-fields")
            )
        schema.pop("format", None)
        return schema
    return [strict(part) for part in schema] if isinstance(schema, list) else schema


@pytest.fixture(scope="module")
def validator():
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    crd = yaml.load(CRD.read_text(), Loader=loader)
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return Draft202012Validator(strict(schema))


@pytest.mark.skipif(not CRD.exists(), reason="no shared data")
@pytest.mark.parametrize("server", [own_server, triton_server])
@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_every_shape_fits_kserves_schema_where_shared_data_is(validator, mode, server):
    for service in services(mode, server):
        assert [error.message for error in validator.iter_errors(service["spec"])] == []


@pytest.mark.skipif(not CRD.exists(), reason="no shared data")
def test_a_field_that_kserve_does_not_know_is_found_where_shared_data_is(validator):
    (service, *_) = services("Standard", own_server)
    service["spec"]["predictor"]["replicas"] = 3

    assert not validator.is_valid(service["spec"])


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_the_deployment_mode_is_always_said(mode):
    for service in services(mode, own_server):
        assert service["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == mode


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_no_mode_has_the_fields_of_the_other(mode):
    for service in services(mode, own_server):
        assert ("canary" in service["spec"]) <= (mode == "Standard")
        assert ("canaryTrafficPercent" in service["spec"]["predictor"]) <= (mode == "Knative")


def test_pods_are_restricted():
    (service, *_) = services("Standard", own_server)
    predictor = service["spec"]["predictor"]
    (container,) = predictor["containers"]

    assert container["securityContext"] == {
        "runAsNonRoot": True,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert predictor["automountServiceAccountToken"] is False
    assert predictor["serviceAccountName"] == "car-serving"
    assert {"name": "tmp", "emptyDir": {}} in predictor["volumes"]


def test_the_public_key_is_mounted_and_asked_for_only_if_there_is_one():
    with_key, without = (
        own_server(PredictorSettings.parse(text), release("1", toys=OLD))
        for text in (FULL, "{image: a, unsigned: true}")
    )
    names = [{each["name"] for each in it["containers"][0]["env"]} for it in (with_key, without)]

    assert names[0] - names[1] == {"SIGNING_PUBLIC_KEY"}
    assert [each["name"] for each in without["volumes"]] == ["tmp", "policy"]


def test_the_policy_file_is_mounted_where_it_is_read_and_need_not_be_there():
    predictor = own_server(PredictorSettings.parse(FULL), release("1", toys=OLD))
    (volume,) = (each for each in predictor["volumes"] if each["name"] == "policy")
    (mount,) = (
        each for each in predictor["containers"][0]["volumeMounts"] if each["name"] == "policy"
    )

    assert volume["configMap"] == {"name": "car-policy", "optional": True}
    assert mount["mountPath"] == str(MOUNT)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{}", "image: Field required"),
        ("image: a\nmode: RawDeployment", "mode: Input should be 'Standard' or 'Knative'"),
        ("image: a\nreplicas: 2", "replicas: Extra inputs are not permitted"),
        ("image: a\nmin_replicas: -1", "min_replicas"),
        ("image: [", "is no YAML"),
        ("image: a", "neither of public_key and unsigned: set public_key"),
        ("{image: a, unsigned: true, public_key: k}", "both of public_key and unsigned"),
    ],
)
def test_wrong_settings_are_refused_by_name(text, complaint):
    with pytest.raises(UserError, match=f"DETECTOR_PREDICTOR.*{complaint}"):
        PredictorSettings.parse(text)


def test_a_predictor_is_no_strangers_unless_that_is_said():
    settings = PredictorSettings.parse("{image: a, unsigned: true}")

    labels = service_body(settings, "cars", {})["metadata"]["labels"]
    assert labels["networking.kserve.io/visibility"] == "cluster-local"
