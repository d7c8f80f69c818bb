"""Check what `make prove-cluster` needs: each thing that is missing is one sentence."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import httpx
from kubernetes import client

from components.images import image
from tests.proofs import serving_cluster
from tests.proofs.manifests.place import KSERVE, SPACE
from tests.proofs.manifests.validating import VALIDATOR
from tests.proofs.needs import need_cluster
from tests.proofs.training import place as training

VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
DEFINITIONS = {
    "tfjobs.kubeflow.org": "the training operator 1.9",
    "trainjobs.trainer.kubeflow.org": "the Kubeflow trainer 2",
    "trainingruntimes.trainer.kubeflow.org": "the Kubeflow trainer 2",
    "inferenceservices.serving.kserve.io": "KServe 0.21",
}
NAMESPACES = (training.NAMESPACE, SPACE, KSERVE, serving_cluster.NAMESPACE)


def main() -> int:
    """Name all that is missing; 0 only if the proofs can run."""
    need_cluster(*VARIABLES)
    api = client.ApiClient()
    missing = [
        *missing_tools(),
        *missing_store(os.environ["AWS_ENDPOINT_URL"]),
        *missing_rights(api),
        *missing_definitions(api),
        *missing_image(api, image("trainer")),
        *left_namespaces(api),
    ]
    for sentence in missing:
        print(f"this proof cannot run: {sentence}", file=sys.stderr)
    return 2 if missing else 0


def missing_tools() -> Iterator[str]:
    """Yield a sentence for every program that is not here."""
    if not shutil.which("kubectl"):
        yield "kubectl is not on PATH, expected 1.24 or later"
    elif (version := kubectl_version()) < (1, 24):
        yield f"kubectl is {version[0]}.{version[1]}, expected 1.24 or later"
    if not shutil.which("curl"):
        yield "curl is not on PATH, expected 7.75 or later"
    elif "--aws-sigv4" not in _said_by("curl", "--help", "all"):
        yield "curl does not know --aws-sigv4, expected 7.75 or later"
    if not VALIDATOR.exists():
        yield f"{VALIDATOR} is not there, expected the offline validator of manifests"


def kubectl_version() -> tuple[int, int]:
    """Return major and minor version of the client, or zeros if it does not say."""
    said = json.loads(_said_by("kubectl", "version", "--client", "--output", "json") or "{}")
    found = said.get("clientVersion", {"major": "0", "minor": "0"})
    return int(found["major"]), int(found["minor"].rstrip("+"))


def missing_store(url: str) -> Iterator[str]:
    """Yield a sentence if nothing answers where the object store should be."""
    try:
        httpx.get(url, timeout=10)  # any answer will do: it is not signed
    except (httpx.HTTPError, httpx.InvalidURL) as cause:
        yield f"AWS_ENDPOINT_URL is {url}, where no S3 answers: {cause}"


def missing_rights(api: client.ApiClient) -> Iterator[str]:
    """Yield a sentence if the user of KUBECONFIG is not allowed everything."""
    everything = {"verb": "*", "group": "*", "resource": "*"}
    review = {"spec": {"resourceAttributes": everything}}
    said = client.AuthorizationV1Api(api).create_self_subject_access_review(review)
    if not said.status.allowed:
        yield "the user of KUBECONFIG may not do everything, expected one with cluster-admin"


def missing_definitions(api: client.ApiClient) -> Iterator[str]:
    """Yield a sentence for every custom resource that the API server does not know."""
    listed = client.ApiextensionsV1Api(api).list_custom_resource_definition(_preload_content=True)
    known = {one.metadata.name for one in listed.items}
    for name, owner in DEFINITIONS.items():
        if name not in known:
            yield f"the API server does not know {name}, expected the definitions of {owner}"


def missing_image(api: client.ApiClient, name: str) -> Iterator[str]:
    """Yield a sentence if a node could run the image neither at once nor from a registry."""
    nodes = client.CoreV1Api(api).list_node().items
    if not nodes:
        yield "the cluster has no node, expected one"
    held = {tag for node in nodes for one in node.status.images or () for tag in one.names or ()}
    local = name.split("/")[0].split(":")[0] in ("localhost", "local")
    if nodes and local and name not in held:
        yield f"no node has the image {name}, expected it there (make images)"


def left_namespaces(api: client.ApiClient) -> Iterator[str]:
    """Yield a sentence for every namespace that an earlier proof left."""
    there = {one.metadata.name for one in client.CoreV1Api(api).list_namespace().items}
    for name in NAMESPACES:
        if name in there:
            yield f"the namespace {name} is there already: remove it, and wait until it is gone"


def _said_by(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    sys.exit(main())
