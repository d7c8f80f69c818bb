"""Which tokens of car-trigger Kubeflow Pipelines takes."""

import json
import os
import time
from pathlib import Path

import yaml

from tests.proofs.manifests.place import SPACE, apply, kubectl

AUDIENCE = "pipelines.kubeflow.org"


def tokens(folder: Path) -> bool:
    """Show which tokens of car-trigger Kubeflow Pipelines, which asks for its audience, takes."""
    apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {
                "name": "car-trigger",
                "namespace": SPACE,
                "annotations": {"kubernetes.io/service-account.name": "car-trigger"},
            },
        }
    )
    mounted = _awaited_token()
    own = _requested(folder, "car-trigger", mounted)
    other = _requested(folder, "car-deployer", mounted)
    seen = (_reviewed(mounted), bool(own) and _reviewed(own), not other)
    print(
        f"token: mounted from the secret, for audience {AUDIENCE}: "
        f"{'taken' if seen[0] else 'refused'}; asked for with it in its own name: "
        f"{'taken' if seen[1] else 'REFUSED'}; in another's name: "
        f"{'denied' if seen[2] else 'GIVEN'}"
    )
    return not seen[0] and seen[1] and seen[2]


def _awaited_token() -> str:
    for _ in range(50):
        template = "go-template={{.data.token | base64decode}}"
        said = kubectl("get", "secret", "car-trigger", "-n", SPACE, "-o", template)
        if said.returncode == 0 and said.stdout.startswith("ey"):
            return said.stdout
        time.sleep(0.2)
    raise RuntimeError("Kubernetes wrote no token")


def _requested(folder: Path, account: str, token: str) -> str:
    """Ask for a token of an account, with only another token to show."""
    api = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    (cluster,) = (one["cluster"] for one in api["clusters"][:1])
    config = folder / "token.kubeconfig"
    config.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "u", "user": {"token": token}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [AUDIENCE], "expirationSeconds": 600},
    }
    path = f"/api/v1/namespaces/{SPACE}/serviceaccounts/{account}/token"
    said = kubectl(
        f"--kubeconfig={config}", "create", "--raw", path, "-f", "-", given=json.dumps(body)
    )
    return json.loads(said.stdout)["status"]["token"] if said.returncode == 0 else ""


def _reviewed(token: str) -> bool:
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token, "audiences": [AUDIENCE]},
    }
    said = kubectl("create", "-f", "-", "-o", "json", given=json.dumps(body))
    return bool(json.loads(said.stdout)["status"].get("authenticated"))
