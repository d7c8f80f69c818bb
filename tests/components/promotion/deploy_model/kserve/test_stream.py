from components.promotion.deploy_model.kserve.predictor import own_server
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.release import Release
from components.shared.store.brokers import security

SECURED = """
image: serving:1
stream:
  protocol: SASL_SSL
  username: car-serving
  password_secret: car-serving
  authority_secret: car-stream-cluster-ca-cert
"""


def container_of(text):
    predictor = own_server(
        PredictorSettings.parse(f"{text}\nunsigned: true"),
        Release(digest="r", uri="s3://cars/r", models={}),
    )
    return predictor, predictor["containers"][0]


def test_a_detector_is_told_all_that_the_stream_asks_of_it():
    _, container = container_of(SECURED)
    told = {one["name"]: one.get("value", "from the secret") for one in container["env"]}

    assert security(told) == {
        "security_protocol": "SASL_SSL", "ssl_cafile": "/etc/stream/ca.crt",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "car-serving", "sasl_plain_password": "from the secret",
    }  # fmt: skip


def test_the_brokers_own_authority_is_mounted_where_the_detector_looks_for_it():
    predictor, container = container_of(SECURED)
    (volume,) = [one for one in predictor["volumes"] if one["name"] == "stream-ca"]
    (mount,) = [one for one in container["volumeMounts"] if one["name"] == "stream-ca"]

    assert volume["secret"]["secretName"] == "car-stream-cluster-ca-cert"
    assert mount == {"name": "stream-ca", "mountPath": "/etc/stream", "readOnly": True}


def test_an_open_stream_needs_nothing_but_its_address():
    predictor, container = container_of("image: serving:1")

    assert [one["name"] for one in predictor["volumes"]] == ["tmp", "policy"]
    assert {one["name"] for one in container["env"] if one["name"].startswith("KAFKA")} == {
        "KAFKA_BOOTSTRAP_SERVERS", "KAFKA_SECURITY_PROTOCOL",
    }  # fmt: skip
