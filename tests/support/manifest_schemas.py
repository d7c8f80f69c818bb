"""Custom resources against the definitions that their projects publish; unknown fields count."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

Schema = dict[str, Any]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
RULES = ("type", "enum", "pattern", "minimum", "maximum", "required", "minItems", "maxItems")


@cache
def definitions(*folders: Path) -> dict[tuple[str, str], Schema]:
    """The schema of each (apiVersion, kind)."""
    found = {}
    for file in sorted(file for folder in folders for file in folder.rglob("*.yaml")):
        for crd in yaml.load_all(file.read_text(), LOADER):
            spec = crd["spec"]
            for version in spec["versions"]:
                kind = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
                found[kind] = version["schema"]["openAPIV3Schema"]
    return found


def is_custom(found: dict[str, Any]) -> bool:
    """Whether an object is of a kind that Kubernetes itself does not bring."""
    group = found.get("apiVersion", "").rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def told(known: dict[tuple[str, str], Schema], found: dict[str, Any]) -> list[str]:
    """What the definition of a custom resource says against it; without one, just that."""
    kind = found["apiVersion"], found["kind"]
    if kind not in known:
        return [f"there is no definition of {kind[0]} {kind[1]} to hold it to"]
    return complaints(known[kind], found)


def complaints(schema: Schema, found: dict[str, Any]) -> list[str]:
    """What a schema says against an object; its metadata is Kubernetes' own affair."""
    part = {name: strict(rule) for name, rule in schema["properties"].items() if name == "spec"}
    whole = {"type": "object", "properties": part, "required": schema.get("required", [])}
    return [
        f"{error.json_path}: {error.message[:200]}"
        for error in Draft202012Validator(whole).iter_errors(found)
    ]


def strict(schema: Schema) -> Schema:
    """A structural schema as a JSON schema that refuses what it does not name."""
    result: Schema = {rule: schema[rule] for rule in RULES if rule in schema}
    if schema.get("x-kubernetes-int-or-string"):
        result["type"] = ["integer", "string"]
    if "properties" in schema:
        result["properties"] = {k: strict(v) for k, v in schema["properties"].items()}
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        result["additionalProperties"] = strict(others)
    elif "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    if "items" in schema:
        result["items"] = strict(schema["items"])
    return result
