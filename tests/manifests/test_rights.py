"""What accounts, roles and network policies allow, as it stands in the manifests."""

import re

import pytest

from tests.support.manifest_objects import (
    MANIFESTS,
    all_objects,
    documents,
    kustomizations,
    name_of,
    named,
)

OBJECTS = all_objects()


def ids(found) -> str:
    return name_of(found) if isinstance(found, dict) else str(found.relative_to(MANIFESTS))


def test_only_the_pods_of_runs_get_a_token_by_themselves():
    mounting = [
        found["metadata"]["name"]
        for found in named(OBJECTS, "ServiceAccount")
        if found.get("automountServiceAccountToken") is not False
    ]

    assert mounting == ["car-pipeline"]


def test_each_account_that_acts_has_a_token_to_mount_and_no_other_has():
    tokens = {
        found["metadata"]["name"]: found["metadata"]["annotations"]
        for found in named(OBJECTS, "Secret")
    }

    assert tokens == {
        name: {"kubernetes.io/service-account.name": name}
        for name in ("car-launcher", "car-deployer", "car-trigger")
    }


@pytest.mark.parametrize("role", named(OBJECTS, "Role"), ids=ids)
def test_a_role_has_no_wildcard_and_no_way_to_more_rights(role):
    for rule in role["rules"]:
        said = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert not [word for word in said if "*" in word]
        assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])
        assert not {"pods/exec", "pods/attach", "nodes", "roles"} & set(rule["resources"])
        assert rule["apiGroups"] != ["rbac.authorization.k8s.io"]
        if {"secrets", "serviceaccounts", "serviceaccounts/token"} & set(rule["resources"]):
            assert rule["resourceNames"]
            assert "list" not in rule["verbs"]


def test_nobody_has_rights_over_the_whole_cluster_but_to_read_storage_containers():
    roles = [found for found in OBJECTS if found["kind"].startswith("ClusterRole")]
    rules = [rule for found in named(OBJECTS, "ClusterRole") for rule in found["rules"]]

    assert {found["metadata"]["name"] for found in roles} == {"car-storage-reader"}
    assert rules == [
        {
            "apiGroups": ["serving.kserve.io"],
            "resources": ["clusterstoragecontainers"],
            "verbs": ["get"],
        }
    ]


def test_two_installations_beside_each_other_have_a_reader_of_kserve_each():
    ours = kustomizations()["overlays/production"]["namespace"]

    assert kustomizations()["kserve-reader"]["nameSuffix"] == f"-{ours}"
    for binding in documents((MANIFESTS / "kserve-reader/rolebinding-reader.yaml").read_text()):
        assert [subject["namespace"] for subject in binding["subjects"]] == [ours]


@pytest.mark.parametrize("binding", named(OBJECTS, "RoleBinding"), ids=ids)
def test_a_binding_gives_one_role_to_the_account_of_its_name(binding):
    name = binding["metadata"]["name"]

    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": name,
    }
    assert [subject["name"] for subject in binding["subjects"]] == [name]


def test_nothing_may_pass_that_no_flow_names():
    (denied,) = (
        found
        for found in named(OBJECTS, "NetworkPolicy")
        if found["metadata"]["name"] == "default-deny"
    )

    assert denied["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("policy", named(OBJECTS, "NetworkPolicy"), ids=ids)
def test_a_flow_is_named_and_says_its_ports(policy):
    name, spec = policy["metadata"]["name"], policy["spec"]
    if name in ("default-deny", "kafka-to-kafka"):
        return
    rules = [*spec.get("egress", ()), *spec.get("ingress", ())]

    assert name == "dns" or re.fullmatch(r"[a-z]+-(to|from)-[a-z]+", name)
    assert rules
    assert all(rule["ports"] and {"port", "protocol"} == set(rule["ports"][0]) for rule in rules)
    assert all(rule["from"] for rule in spec.get("ingress", ()))  # not from everywhere


def test_a_flow_between_two_of_our_pods_is_open_at_both_ends():
    names = {found["metadata"]["name"] for found in named(OBJECTS, "NetworkPolicy")}

    assert {"pipeline-to-detector", "detector-from-pipeline"} <= names
    assert {"pipeline-to-mlflow", "mlflow-from-pipeline"} <= names
    assert {"bucket-to-objects", "objects-from-clients"} <= names
