"""The manifests as plain YAML, as kubectl renders them, and what is in them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"
CRDS = ROOT.parent / "shared" / "crds"
OVERLAYS = ("local", "production")
COMPONENTS = sorted(folder.name for folder in (MANIFESTS / "components").iterdir())
# Kinds of others whose definitions are not among the shared ones: ours are in `definitions`.
DEFINITIONS = ROOT / "tests" / "manifests" / "definitions"
FOREIGN = {"PodMonitor", "PrometheusRule", "ScaledObject", "ClusterStorageContainer"}

Object = dict[str, Any]


def documents(text: str) -> list[Object]:
    return [document for document in yaml.safe_load_all(text) if document]


def files() -> list[Path]:
    """Every file that holds objects, or patches that look like them."""
    found = [file for file in MANIFESTS.rglob("*.yaml") if file.name != "kustomization.yaml"]
    return sorted(
        file
        for file in found
        if file.name not in ("policy.yaml", "predictor.yaml", "task-sizes.yaml", "workers.yaml")
    )


def kustomizations() -> dict[str, Object]:
    """What each kustomization says, by its folder."""
    return {
        str(file.parent.relative_to(MANIFESTS)): yaml.safe_load(file.read_text())
        for file in sorted(MANIFESTS.rglob("kustomization.yaml"))
    }


def all_objects() -> list[Object]:
    return [found for file in files() for found in documents(file.read_text())]


def name_of(found: Object) -> str:
    return f"{found['kind']}/{found['metadata']['name']}"


def named(objects: list[Object], kind: str) -> list[Object]:
    return [found for found in objects if found["kind"] == kind]


def pods(node: Any) -> Iterator[Object]:
    """Every pod's spec inside an object, however deep it is."""
    if isinstance(node, dict):
        if isinstance(node.get("containers"), list):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from pods(part)


def references(node: Any) -> Iterator[tuple[str, str, str, bool]]:
    """Every (kind, name, key, optional) of a secret or config map that an object refers to."""
    if isinstance(node, list):
        for part in node:
            yield from references(part)
    if not isinstance(node, dict):
        return
    for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        if field in node:
            there = node[field]
            yield kind, there["name"], there["key"], there.get("optional", False)
    for part in node.values():
        yield from references(part)


def has_kubectl() -> bool:
    """Whether there is a kubectl that knows components, patches and options (1.24 and later)."""
    if not shutil.which("kubectl"):
        return False
    said = subprocess.run(
        ["kubectl", "version", "--client", "--output=yaml"], capture_output=True, text=True
    )
    minor = str(yaml.safe_load(said.stdout)["clientVersion"]["minor"]).rstrip("+")
    return int(minor) >= 24


def render(folder: Path) -> list[Object]:
    rendered = subprocess.run(
        ["kubectl", "kustomize", str(folder)], check=True, capture_output=True, text=True
    )
    return documents(rendered.stdout)


def combine(folder: Path, components: tuple[str, ...]) -> Path:
    """Write a kustomization of the base and some components, and return its folder."""
    there = Path(os.path.relpath(MANIFESTS, folder.resolve()))
    made = {
        "namespace": "elsewhere",
        "resources": [str(there / "base")],
        "components": [str(there / "components" / name) for name in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(made))
    return folder
