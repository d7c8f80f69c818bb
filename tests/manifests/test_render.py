"""kubectl renders every overlay, and each component alone and missing."""

import re

import pytest

from tests.support.manifest_objects import (
    COMPONENTS,
    CRDS,
    DEFINITIONS,
    FOREIGN,
    MANIFESTS,
    OVERLAYS,
    all_objects,
    combine,
    documents,
    has_kubectl,
    name_of,
    named,
    pods,
    render,
)
from tests.support.manifest_schemas import definitions, is_custom, told

kubectl = pytest.mark.skipif(not has_kubectl(), reason="there is no kubectl of 1.24 or later")
shared = pytest.mark.skipif(not CRDS.exists(), reason="the shared definitions are not there")
# Each alone shows what it leans on; all but each, what leans on it.
CHOICES = [
    *((name,) for name in COMPONENTS),
    *(tuple(name for name in COMPONENTS if name != without) for without in COMPONENTS),
]


@kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_renders_into_one_namespace_where_kubectl_is_installed(overlay):
    objects = render(MANIFESTS / "overlays" / overlay)
    spaces = {found["metadata"].get("namespace") for found in objects}

    assert len(spaces - {None}) == 1
    assert {found["kind"] for found in objects if "namespace" not in found["metadata"]} <= {
        "Namespace",
        "PriorityClass",
    }


@kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_image_is_a_tag_or_digest_where_kubectl_is_installed(overlay):
    for found in render(MANIFESTS / "overlays" / overlay):
        for pod in pods(found):
            for container in pod["containers"]:
                version = re.search("(@sha256:[0-9a-f]{64}|:[^/:@]+)$", container["image"])
                assert version
                assert version[1] != ":latest"
                assert overlay == "local" or version[1].startswith("@")


@kubectl
@pytest.mark.parametrize("chosen", CHOICES, ids="+".join)
def test_any_choice_of_components_renders_where_kubectl_is_installed(chosen, tmp_path):
    objects = render(combine(tmp_path, chosen))

    assert len({name_of(found) for found in objects}) == len(objects)


@kubectl
def test_all_components_render_together_where_kubectl_is_installed(tmp_path):
    objects = render(combine(tmp_path, tuple(COMPONENTS)))

    assert len({name_of(found) for found in objects}) == len(objects)
    assert named(objects, "Deployment")


@kubectl
def test_production_carries_no_secret_but_empty_tokens_where_kubectl_is_installed():
    secrets = named(render(MANIFESTS / "overlays/production"), "Secret")

    assert {secret["type"] for secret in secrets} == {"kubernetes.io/service-account-token"}
    assert not [secret for secret in secrets if "data" in secret]


@shared
def test_custom_resources_have_no_unknown_field_where_shared_data_is():
    known = definitions(CRDS, DEFINITIONS)
    for file in sorted(MANIFESTS.rglob("*.yaml")):
        for found in documents(file.read_text()):
            if found.get("kind") not in (None, "Kustomization", "Component") and is_custom(found):
                assert not told(known, found), (file, name_of(found))


@shared
def test_an_unknown_field_is_seen_where_shared_data_is():
    file = MANIFESTS / "components/kafka-topics/kafkatopic-frames.yaml"
    (topic,) = documents(file.read_text())
    topic["spec"]["partition"] = 3

    assert told(definitions(CRDS), topic)


@pytest.mark.parametrize("kind", sorted(FOREIGN))
def test_each_kind_of_others_has_a_definition_that_sees_an_unknown_field(kind):
    known = definitions(DEFINITIONS)
    for found in named(all_objects(), kind):
        assert not told(known, found), name_of(found)
        assert told(known, found | {"spec": found["spec"] | {"unheardOf": 1}})


def test_prometheus_operator_0_78_refuses_a_port_number_and_is_not_what_the_readme_names():
    (monitor,) = (
        found
        for found in named(all_objects(), "PodMonitor")
        if found["metadata"]["name"] == "detector"
    )
    (version,) = re.findall(
        r"Prometheus operator (\d+\.\d+)", (MANIFESTS / "README.md").read_text()
    )
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]

    assert "portNumber" not in endpoint or float(version) >= 0.79


def test_a_kind_without_a_definition_is_no_pass():
    assert told({}, {"apiVersion": "a.example.com/v1", "kind": "Strange", "spec": {}})


@shared
@kubectl
def test_rendered_custom_resources_fit_where_kubectl_is_installed_and_shared_data_is(tmp_path):
    known = definitions(CRDS, DEFINITIONS)
    objects = render(combine(tmp_path, tuple(COMPONENTS)))
    objects += [found for overlay in OVERLAYS for found in render(MANIFESTS / "overlays" / overlay)]
    objects += render(MANIFESTS / "kserve-storage")
    custom = [found for found in objects if is_custom(found)]

    assert {found["kind"] for found in custom} >= FOREIGN
    for found in custom:
        assert not told(known, found), name_of(found)
