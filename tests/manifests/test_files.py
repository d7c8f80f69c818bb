"""What is true of each manifest as it stands in its file; no tool but a YAML reader is needed."""

import re

import pytest
import yaml

from components.promotion.deploy_model.kserve.canary import SLOT
from components.promotion.deploy_model.kserve.storage import is_restricted
from tests.support.manifest_objects import (
    MANIFESTS,
    OVERLAYS,
    all_objects,
    documents,
    files,
    kustomizations,
    name_of,
    named,
    pods,
)

OBJECTS = all_objects()
OWN = "car-detection/"  # images of ours
SERVICES = ("Deployment", "StatefulSet")
PATCHES = {"kafka-users/deployment-ingest.yaml"}
WHOLE = [
    found for found in OBJECTS if any(pod["containers"][0].get("image") for pod in pods(found))
]


def ids(found) -> str:
    return name_of(found) if isinstance(found, dict) else str(found.relative_to(MANIFESTS))


@pytest.mark.parametrize("file", files(), ids=ids)
def test_a_file_is_named_for_the_kind_of_its_objects(file):
    kinds = {found["kind"].lower() for found in documents(file.read_text())}

    assert kinds == {file.stem.split("-")[0]}


@pytest.mark.parametrize("file", files(), ids=ids)
def test_a_comment_above_each_object_says_what_it_is_for(file):
    for text in re.split(r"^---$", file.read_text(), flags=re.MULTILINE):
        assert text.lstrip().startswith("# "), text[:80]


def test_every_file_is_used_by_the_kustomization_beside_it():
    for file in files():
        beside = (file.parent / "kustomization.yaml").read_text()
        assert file.name in beside, file


@pytest.mark.parametrize("found", WHOLE, ids=ids)
def test_no_pod_may_more_than_the_restricted_standard_lets_it(found):
    for pod in pods(found):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert not [volume for volume in pod.get("volumes", ()) if "hostPath" in volume]
        for container in [*pod["containers"], *pod.get("initContainers", ())]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@pytest.mark.parametrize("found", WHOLE, ids=ids)
def test_no_pod_carries_a_token(found):
    assert all(pod["automountServiceAccountToken"] is False for pod in pods(found))


@pytest.mark.parametrize("found", WHOLE, ids=ids)
def test_a_pod_of_ours_runs_as_any_user_and_may_write_to_tmp(found):
    for pod in pods(found):
        if pod["containers"][0]["image"].startswith(OWN):
            assert not {"runAsUser", "runAsGroup", "fsGroup"} & pod["securityContext"].keys()
        mounts = [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]]
        assert "/tmp" in mounts


@pytest.mark.parametrize("found", WHOLE, ids=ids)
def test_a_container_asks_for_what_it_needs_and_has_limits(found):
    for pod in pods(found):
        for container in pod["containers"]:
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
            assert container["imagePullPolicy"] == "IfNotPresent"
            if found["kind"] in SERVICES:
                assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()


@pytest.mark.parametrize("found", named(OBJECTS, "ClusterStorageContainer"), ids=ids)
def test_what_downloads_models_is_admitted_where_pod_security_is_restricted(found):
    assert is_restricted(found)


def test_the_storage_container_downloads_from_the_bucket_of_production_and_no_other():
    generated = kustomizations()["overlays/production"]["configMapGenerator"]
    literals = [literal for each in generated for literal in each.get("literals", ())]
    (container,) = (
        found
        for found in named(OBJECTS, "ClusterStorageContainer")
        if found["metadata"]["name"] == "car-detection"
    )
    (form,) = container["spec"]["supportedUriFormats"]

    assert form["prefix"].endswith("/")
    assert f"url={form['prefix'].removesuffix('/')}" in literals


def test_each_side_of_a_rollout_has_a_disruption_budget_of_its_own():
    budgets = {
        found["metadata"]["name"]: found["spec"]
        for found in named(OBJECTS, "PodDisruptionBudget")
        if found["metadata"]["name"].startswith("detector")
    }
    slots = [
        (rule["operator"], *rule["values"])
        for spec in budgets.values()
        for rule in spec["selector"]["matchExpressions"]
        if rule["key"] == SLOT
    ]

    assert sorted(slots) == [("In", "green"), ("NotIn", "green")]
    assert {spec["maxUnavailable"] for spec in budgets.values()} == {1}
    predictor = yaml.safe_load((MANIFESTS / "overlays/production/predictor.yaml").read_text())
    assert predictor["min_replicas"] >= 2


def test_only_the_local_overlay_carries_secrets():
    carrying = [folder for folder, said in kustomizations().items() if "secretGenerator" in said]

    assert carrying == ["overlays/local"]
    for found in named(OBJECTS, "Secret"):
        assert not {"data", "stringData"} & found.keys()


def test_the_base_names_no_namespace_and_no_tag():
    base = kustomizations()["base"]
    images = [pod["containers"][0]["image"] for found in WHOLE for pod in pods(found)]

    assert not {"namespace", "images", "namePrefix"} & base.keys()
    assert not [found for found in OBJECTS if "namespace" in found["metadata"]]
    assert not [image for image in images if ":" in image or "@" in image]


def test_production_names_our_images_by_digest():
    images = kustomizations()["overlays/production"]["images"]

    assert {image["name"] for image in images} == {
        pod["containers"][0]["image"]
        for found in WHOLE
        for pod in pods(found)
        if pod["containers"][0]["image"].startswith(OWN)
    }
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", image["digest"]) for image in images)
    assert not [image for image in images if "newTag" in image]


def test_an_image_of_others_has_a_tag_that_is_a_version():
    for folder, said in kustomizations().items():
        if folder.startswith("components/"):
            for image in said.get("images", ()):
                assert re.fullmatch(r"v?\d+(\.\d+)+", image["newTag"]), folder


def test_an_overlay_has_no_object_of_its_own():
    for overlay in OVERLAYS:
        said = kustomizations()[f"overlays/{overlay}"]
        assert all(path.startswith("../../base") for path in said["resources"])
        assert yaml.safe_dump(said["labels"]).strip()
