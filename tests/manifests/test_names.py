"""Names that code and manifests share: secrets, config maps, metrics, settings, the runbook."""

import re
from collections import defaultdict
from importlib import import_module

import pytest
import yaml
from kfp import compiler
from prometheus_client import REGISTRY

from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.shared.contracts.events import TOPICS
from components.shared.contracts.policy import Policy
from components.shared.settings.policy_file import CONFIG_MAP, KEY, read_policy
from components.shared.store import brokers
from components.training.train_detector.launchers import pods as worker_pods
from components.training.train_detector.launchers.worker_settings import worker_settings
from pipelines.graphs import GRAPHS
from tests.support.manifest_objects import (
    MANIFESTS,
    OVERLAYS,
    all_objects,
    kustomizations,
    named,
    references,
)

OBJECTS = all_objects()
README = (MANIFESTS / "README.md").read_text()
TOKENS = {found["metadata"]["name"] for found in named(OBJECTS, "Secret")}
OPERATORS = {"car-ingest", "car-stream-cluster-ca-cert"}  # Strimzi writes them


def generated(overlay: str, kind: str) -> dict[str, set[str]]:
    """The keys of each secret or config map that an overlay makes."""
    made = kustomizations()[f"overlays/{overlay}"].get(f"{kind}Generator", ())
    return {
        one["name"]: {
            entry.split("=", 1)[0] for entry in [*one.get("literals", ()), *one.get("files", ())]
        }
        for one in made
    }


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Every (kind, name, key) that a task of a compiled pipeline must have."""
    found = set()
    for name, graph in GRAPHS.items():
        file = tmp_path_factory.mktemp("compiled") / f"{name}.yaml"
        compiler.Compiler().compile(graph, str(file))
        *_, platform = yaml.safe_load_all(file.read_text())
        for task in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
            found |= set(_of_task(task))
    return found


def _of_task(task):
    for one in task.get("secretAsEnv", ()):
        if not one.get("optional"):
            keys = (key["secretKey"] for key in one["keyToEnv"])
            yield from (("Secret", one["secretName"], key) for key in keys)
    for one in task.get("configMapAsEnv", ()):
        if not one.get("optional"):
            keys = (key["configMapKey"] for key in one["keyToEnv"])
            yield from (("ConfigMap", one["configMapName"], key) for key in keys)
    for one in task.get("secretAsVolume", ()):
        yield "Secret", one["secretName"], ""


def test_pipelines_ask_for_something(asked):
    assert len(asked) > 8


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_config_map_that_pipelines_name_is_in_each_overlay(asked, overlay):
    there = generated(overlay, "configMap")

    for kind, name, key in asked:
        assert kind == "Secret" or key in there[name], (name, key)


def test_every_secret_that_pipelines_name_is_a_token_or_in_the_readme(asked):
    for kind, name, key in asked:
        assert kind == "ConfigMap" or name in TOKENS or _told(name, key), (name, key)


def test_every_secret_and_config_map_that_a_pod_needs_is_told_or_made():
    for overlay in OVERLAYS:
        maps = generated(overlay, "configMap")
        for kind, name, key, optional in references(OBJECTS):
            if kind == "ConfigMap":
                assert optional or key in maps[name], (overlay, name, key)
            else:
                assert name in OPERATORS or _told(name, key), (name, key)


def test_the_local_overlay_makes_every_secret_that_the_readme_lists_for_it(asked):
    there = generated("local", "secret")
    needed = {(name, key) for kind, name, key in asked if kind == "Secret" and key}
    needed |= {
        (name, key)
        for kind, name, key, _ in references(OBJECTS)
        if kind == "Secret" and name not in OPERATORS
    }

    assert all(key in there[name] for name, key in needed)


def _told(name: str, key: str) -> bool:
    """Whether a row of the README's table names a secret and its key."""
    row = re.search(rf"^\| `{name}` \|(.*)$", README, re.MULTILINE)
    return bool(row) and f"`{key}`" in row[1] if key else bool(row)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_serving_pods_look_like_is_read_by_the_deployer(overlay):
    text = (MANIFESTS / "overlays" / overlay / "predictor.yaml").read_text()
    settings = PredictorSettings.parse(text)

    assert settings.service_account in {
        found["metadata"]["name"] for found in named(OBJECTS, "ServiceAccount")
    }
    assert ("@sha256:" in settings.image) == (overlay == "production")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_policy_of_an_overlay_is_read_and_is_the_config_map_that_tasks_mount(overlay):
    assert KEY in generated(overlay, "configMap")[CONFIG_MAP]
    assert read_policy(MANIFESTS / "overlays" / overlay / KEY) == Policy()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_workers_look_like_is_read_by_the_launcher(overlay):
    text = (MANIFESTS / "overlays" / overlay / "workers.yaml").read_text()

    assert worker_settings(text).runtime in {
        found["metadata"]["name"] for found in named(OBJECTS, "TrainingRuntime")
    }


def test_the_runtime_and_the_launcher_mean_the_same_container_and_port():
    (runtime,) = named(OBJECTS, "TrainingRuntime")
    (job,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    (container,) = job["template"]["spec"]["template"]["spec"]["containers"]
    trainjob = import_module("components.training.train_detector.launchers.trainjob")

    assert job["name"] == container["name"] == trainjob.CONTAINER
    assert container["ports"][0]["containerPort"] == worker_pods.PORT


def test_what_is_said_to_kafka_is_what_the_code_reads():
    (patch,) = (
        found
        for found in named(OBJECTS, "Deployment")
        if "image" not in found["spec"]["template"]["spec"]["containers"][0]
    )
    entries = patch["spec"]["template"]["spec"]["containers"][0]["env"]
    said = {entry["name"]: entry.get("value", "secret") for entry in entries}

    assert brokers.security(said) == {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": "/etc/stream/ca.crt",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "car-ingest",
        "sasl_plain_password": "secret",
    }


def test_the_topics_are_those_of_the_events():
    topics = {found["metadata"]["name"] for found in named(OBJECTS, "KafkaTopic")}

    assert topics == set(TOPICS)


def _alerts():
    (rules,) = named(OBJECTS, "PrometheusRule")
    return [rule for group in rules["spec"]["groups"] for rule in group["rules"]]


def test_an_alert_counts_only_what_the_code_counts():
    counted = defaultdict(set)
    for module in (
        "data.ingest_events.expose",
        "serving.serve_detector.metrics",
        "shared.traffic.metrics",
    ):
        import_module(f"components.{module}")
    for metric in REGISTRY.collect():
        for sample in metric.samples or ():
            counted[sample.name] |= set(sample.labels)
        counted[f"{metric.name}_total" if metric.type == "counter" else metric.name] |= set()
        if metric.type == "histogram":
            counted[f"{metric.name}_bucket"] |= set()

    for alert in _alerts():
        names = set(re.findall(r"\b(?:ingest|car|predictions)_[a-z_]+", alert["expr"]))
        assert names, alert["alert"]
        assert names <= counted.keys(), names - counted.keys()


def test_each_alert_leads_to_a_paragraph_of_the_runbook():
    headings = set(re.findall(r"^### (.+)$", README, re.MULTILINE))

    for alert in _alerts():
        (title,) = re.findall('"(.+)"', alert["annotations"]["runbook"])
        assert title in headings
