"""What the proof asks about KServe's configuration is what the manifests give, by RBAC's rules."""

import pytest

from tests.proofs.kserve_rights import questions
from tests.proofs.manifests.place import KSERVE, SPACE, at_kserve
from tests.proofs.rights import named as attributes_of
from tests.support.manifest_objects import MANIFESTS, has_kubectl, named, render

pytestmark = pytest.mark.skipif(not has_kubectl(), reason="no kubectl 1.24")


@pytest.fixture(scope="module")
def objects():
    folders = ("kserve-reader", "kserve-storage")
    return [at_kserve(found) for name in folders for found in render(MANIFESTS / name)]


def grants(rule, question):
    asked = attributes_of(question.resource)
    names = rule.get("resourceNames")
    return (
        asked["group"] in rule["apiGroups"]
        and asked["resource"] in rule["resources"]
        and question.verb in rule["verbs"]
        and (names is None or asked.get("name") in names)
    )


def allowed(objects, question):
    user, groups = question.who
    for binding in [found for found in objects if found["kind"].endswith("Binding")]:
        where = binding["metadata"].get("namespace")
        members = {
            f"system:serviceaccount:{each.get('namespace')}:{each['name']}"
            if each["kind"] == "ServiceAccount"
            else each["name"]
            for each in binding["subjects"]
        }
        roles = [
            found
            for found in named(objects, binding["roleRef"]["kind"])
            if found["metadata"]["name"] == binding["roleRef"]["name"]
            and found["metadata"].get("namespace") == where
        ]
        assert roles, "a binding names no role that is applied"
        in_force = where in (None, question.namespace)
        if in_force and members & {user, *groups} and grants(roles[0]["rules"][0], question):
            return True
    return False


def test_every_question_is_answered_as_expected_by_the_manifests(objects):
    asked = questions(SPACE, KSERVE)

    assert {(each.verb, each.expected) for each in asked} >= {("get", True), ("get", False)}
    assert [each for each in asked if allowed(objects, each) != each.expected] == []


def test_nothing_that_the_proof_applies_is_another_installations(objects):
    cluster_wide = [found for found in objects if "namespace" not in found["metadata"]]

    assert all(found["metadata"]["name"].startswith(SPACE) for found in cluster_wide)
    assert {found["metadata"].get("namespace") for found in objects} == {None, KSERVE}


def test_no_predictor_of_the_cluster_takes_the_storage_container_of_the_proof(objects):
    (container,) = named(objects, "ClusterStorageContainer")

    assert container["spec"]["supportedUriFormats"] == [{"prefix": f"s3://{SPACE}/"}]
