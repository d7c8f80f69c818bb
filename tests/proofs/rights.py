"""What each account must be able to do, and what none may: asked of a real API server."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

Right = tuple[str, str]


def _each(verbs: str, *resources: str) -> list[Right]:
    return [(verb, resource) for resource in resources for verb in verbs.split()]


KUBEFLOW = "pipelines.kubeflow.org"
INSTALLED_APART = ("argoproj.io", KUBEFLOW, "gateway.networking.k8s.io")  # groups

# A resource with its group, and its name if the right is for that name alone.
NEEDED: dict[str, list[Right]] = {
    "car-pipeline": [
        *_each("create patch", "workflowtaskresults.argoproj.io"),
        *_each("get list", "pods"),
        *_each("get", "configmaps/kfp-launcher", "secrets/mlpipeline-minio-artifact"),
    ],
    "car-launcher": [
        *_each("get list create delete", "tfjobs.kubeflow.org"),
        *_each("get list create delete", "trainjobs.trainer.kubeflow.org"),
        *_each("get list", "pods"),
        *_each("get", "pods --subresource=log"),
    ],
    "car-deployer": [
        *_each("get create update delete", "inferenceservices.serving.kserve.io"),
        *_each("list", "pods"),
        *_each("get", "services", "namespaces", "deployments.apps"),
        *_each("get", "httproutes.gateway.networking.k8s.io"),
        *_each("list delete", "horizontalpodautoscalers.autoscaling"),
    ],
    "car-trigger": [
        *_each("get list", f"pipelines.{KUBEFLOW}"),
        *_each("get list", f"pipelines.{KUBEFLOW} --subresource=versions"),
        *_each("get list create", f"experiments.{KUBEFLOW}"),
        *_each("get list create readLog", f"runs.{KUBEFLOW}"),
        *_each("use", "serviceaccounts/car-pipeline"),
        *_each("create", "serviceaccounts/car-trigger --subresource=token"),
    ],
    "car-training": [],
    "car-ingest": [],
    "car-serving": [],
    "car-migrate": [],
}
OUT = ("-n", "kube-system")

DENIED: list[tuple[str, ...]] = [
    ("list", "secrets"),
    ("get", "secrets"),
    ("get", "secrets/car-database"),
    ("get", "secrets/car-signing"),
    ("create", "secrets"),
    ("get", "configmaps"),
    ("update", "configmaps"),
    ("create", "pods"),
    ("delete", "pods"),
    ("create", "pods", "--subresource=exec"),
    ("create", "pods", "--subresource=attach"),
    ("create", "pods", "--subresource=portforward"),
    ("create", "deployments.apps"),
    ("patch", "deployments.apps"),
    ("create", "jobs.batch"),
    ("create", "daemonsets.apps"),
    ("patch", "nodes"),
    ("list", "nodes"),
    ("create", "namespaces"),
    ("create", "persistentvolumeclaims"),
    ("patch", "serviceaccounts"),
    ("create", "serviceaccounts/car-deployer", "--subresource=token"),
    ("create", "roles.rbac.authorization.k8s.io"),
    ("create", "rolebindings.rbac.authorization.k8s.io"),
    ("create", "clusterroles.rbac.authorization.k8s.io"),
    ("bind", "clusterroles.rbac.authorization.k8s.io"),
    ("escalate", "roles.rbac.authorization.k8s.io"),
    ("impersonate", "users"),
    ("impersonate", "serviceaccounts"),
    ("delete", "networkpolicies.networking.k8s.io"),
    ("update", "validatingwebhookconfigurations.admissionregistration.k8s.io"),
    ("get", "pods", *OUT),
    ("get", "secrets", *OUT),
    ("get", "inferenceservices.serving.kserve.io", *OUT),
    ("create", "tfjobs.kubeflow.org", *OUT),
    ("list", "pods", "--all-namespaces"),
    ("patch", "tfjobs.kubeflow.org"),
    ("patch", "trainingruntimes.trainer.kubeflow.org"),
    ("patch", "servingruntimes.serving.kserve.io"),
    ("delete", f"runs.{KUBEFLOW}"),
    ("delete", f"pipelines.{KUBEFLOW}"),
    ("create", f"jobs.{KUBEFLOW}"),
    ("delete", "inferenceservices.serving.kserve.io"),
    ("delete", "trainjobs.trainer.kubeflow.org"),
]


def ask(space: str) -> bool:
    """Ask what each account of a namespace may, print it as a table, and say if it is right."""
    with ThreadPoolExecutor(4) as pool:
        needed = {
            account: list(pool.map(lambda right, who=account: _may(space, who, *right), rights))
            for account, rights in NEEDED.items()
        }
        denied = {
            account: list(pool.map(lambda asked, who=account: _may(space, who, *asked), DENIED))
            for account in NEEDED
        }
    wrong = [
        f"{account} may not {' '.join(right)}"
        for account, answers in needed.items()
        for right, may in zip(NEEDED[account], answers, strict=True)
        if not may
    ]
    wrong += [
        f"{account} may {' '.join(asked)}"
        for account, answers in denied.items()
        for asked, may in zip(DENIED, answers, strict=True)
        if may and asked not in NEEDED[account]
    ]
    _show(denied)
    yes = sum(map(sum, needed.values()))
    no = sum(len(answers) - sum(answers) for answers in denied.values())
    print(f"rights: {yes} needed and given, {no} asked and denied, {len(wrong)} wrong")
    print("".join(f"  WRONG: {line}\n" for line in wrong), end="")
    return not wrong


def _show(denied: dict[str, list[bool]]) -> None:
    for account, rights in NEEDED.items():
        for resource in dict.fromkeys(name for _, name in rights):
            verbs = ", ".join(verb for verb, name in rights if name == resource)
            print(f"  {account:13} may {verbs:50} {resource}")
    print("  may?          " + " ".join(name.removeprefix("car-") for name in NEEDED))
    for row, (verb, *what) in enumerate(DENIED):
        cells = (
            ("yes" if answers[row] else "no").ljust(len(account.removeprefix("car-")))
            for account, answers in denied.items()
        )
        print(f"  {verb:13} {' '.join(cells)}  {' '.join(what)}")


def _may(space: str, account: str, verb: str, resource: str, *options: str) -> bool:
    """Ask as `kubectl auth can-i` does; it forgets the group of a kind that the server lacks."""
    name, *subresource = resource.split()
    if name.endswith(INSTALLED_APART):
        user, groups = account_of(space, account)
        attributes = {"namespace": space, "verb": verb, **named(name)}
        if subresource:
            attributes["subresource"] = subresource[0].partition("=")[2]
        return allowed(user, groups, attributes)
    chosen = () if {"-n", "--all-namespaces"} & set(options) else ("-n", space)
    who = f"--as=system:serviceaccount:{space}:{account}"
    command = ["kubectl", "auth", "can-i", verb, name, *subresource, who, *chosen, *options]
    return subprocess.run(command, capture_output=True).returncode == 0


def account_of(space: str, account: str) -> tuple[str, list[str]]:
    """Return the user that a service account is, and its groups."""
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{space}", "system:authenticated"]
    return f"system:serviceaccount:{space}:{account}", groups


def named(resource: str) -> dict[str, str]:
    """Return the attributes of a resource such as `configmaps/a` or `httproutes.example.com`."""
    kind, _, name = resource.partition("/")
    plural, _, group = kind.partition(".")
    attributes = {"group": group, "resource": plural}
    return attributes | ({"name": name} if name else {})


def allowed(user: str, groups: list[str], attributes: dict[str, str]) -> bool:
    """Ask by a SubjectAccessReview, which is how Kubeflow Pipelines itself asks."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": groups, "resourceAttributes": attributes},
    }
    command = ["kubectl", "create", "-f", "-", "-o", "json"]
    said = subprocess.run(command, input=json.dumps(review), capture_output=True, text=True)
    return bool(json.loads(said.stdout)["status"]["allowed"])
