"""Read the policy file: YAML that replaces fields of policies, by section.

    rollout: {min_step_s: 300, min_requests: 500}
    promotion:
      min_gain: 0.01

POLICY names the file. In a pod it is the key `policy.yaml` of the config map `car-policy`, which is
mounted where there is one. A field that the file leaves out has its default.
"""

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import Policy
from components.shared.contracts.record import Record, complaint

VARIABLE = "POLICY"
CONFIG_MAP = "car-policy"
KEY = "policy.yaml"
MOUNT = Path("/var/run/config") / CONFIG_MAP
LISTED = "python -m pipelines policy lists all"
FORMER = "ROLLOUT_POLICY"
KINDS: Mapping[str, type[Record]] = {name: type(policy) for name, policy in Policy()}

Changes = Mapping[str, Mapping[str, Any]]  # values of a policy file, by section and field


def policy_from(environment: Mapping[str, str], mount: Path = MOUNT) -> Policy:
    """Return all policies, with the values of the policy file if there is one.

    Args:
        environment: Environment variables.
        mount: Folder of the mounted config map; it need not exist.

    Raises:
        UserError: If the file cannot be read, a section or field is unknown, or a value is not
            allowed.
    """
    file = policy_file(environment, mount)
    return read_policy(file) if file else Policy()


def policy_file(environment: Mapping[str, str], mount: Path = MOUNT) -> Path | None:
    """Return the policy file, or None if there is none.

    Args:
        environment: Environment variables.
        mount: Folder of the mounted config map; it need not exist.

    Raises:
        UserError: If ROLLOUT_POLICY is set, or the config map has other keys than the policy's.
    """
    if environment.get(FORMER):
        raise UserError(
            f"{FORMER} (key policy of the config map car-detector) is not read any more: put its "
            f"fields under rollout in the file that {VARIABLE} names (key {KEY} of the config map "
            f"{CONFIG_MAP}) and remove it"
        )
    if named := environment.get(VARIABLE):
        return Path(named)
    keys = sorted(file.name for file in mount.glob("[!.]*"))
    if keys and keys != [KEY]:
        raise UserError(f"the config map {CONFIG_MAP} has {', '.join(keys)}, expected {KEY} alone")
    return mount / KEY if keys else None


def read_policy(file: Path) -> Policy:
    """Return all policies, with the values of a policy file.

    Raises:
        UserError: If the file cannot be read, a section or field is unknown, or a value is not
            allowed.
    """
    return policy_with(read_changes(file), f"{VARIABLE}: {file.name}")


def policy_with(changes: Changes, where: str) -> Policy:
    """Return all policies, with some values replaced.

    Args:
        changes: Values by section and field.
        where: Name of their file, for the error.

    Raises:
        UserError: If a value is not allowed: the field, the value, and what is allowed.

    >>> policy_with({"rollout": {"min_requests": 0}}, "policy.yaml")
    Traceback (most recent call last):
    components.shared.contracts.errors.UserError: policy.yaml: rollout.min_requests: Input should...
    """
    try:
        # As JSON, so that strictness takes lists for tuples, and no text or truth for a number.
        return Policy.model_validate_json(json.dumps(changes, default=str), strict=True)
    except ValidationError as cause:
        raise UserError(f"{where}: {complaint(cause)}") from cause


def read_changes(file: Path) -> Changes:
    """Return the values of a policy file, by section and field; the values are not checked.

    Raises:
        UserError: If the file cannot be read, or a section or field is unknown.
    """
    where = f"{VARIABLE}: {file.name}"
    try:
        read = yaml.load(file.read_text(), _Loader)
    except OSError as cause:
        raise UserError(f"{VARIABLE} is {file}, expected a YAML file: {cause.strerror}") from cause
    except (yaml.YAMLError, UnicodeDecodeError) as cause:
        raise UserError(f"{where} is no YAML: {' '.join(str(cause).split())[:300]}") from cause
    sections = _mapping(read, where, "sections", KINDS)
    changes = {}
    for section, values in sections.items():
        if section not in KINDS:
            raise UserError(f"{where}: {_unknown(str(section))}; {LISTED}")
        known = KINDS[section].model_fields
        fields = _mapping(values, f"{where}: {section}", "fields", known)
        for field in fields:
            if field not in known:
                raise UserError(f"{where}: {_unknown(str(field), section)}; {LISTED}")
        changes[section] = fields
    return changes


def _mapping(read: Any, where: str, what: str, known: Iterable[str]) -> dict[str, Any]:
    """Return parsed YAML if it is a mapping; what holds nothing, as if all is a comment, is empty.

    Raises:
        UserError: If it is something else.
    """
    if not isinstance(read, dict | None):
        named = ", ".join(known)
        raise UserError(f"{where} is {str(read)[:100]!r}, expected {what}, some of {named}")
    return read or {}


def _unknown(name: str, section: str = "") -> str:
    """Return a sentence on an unknown name: it, and the nearest known one.

    A field that stands in the wrong section, or in none, is near to where it belongs.
    """
    homes = [home for home, kind in KINDS.items() if name in kind.model_fields]
    if homes:
        nearest = [f"{home}.{name}" for home in homes]
    elif section:
        nearest = [f"{section}.{_nearest(name, KINDS[section].model_fields)}"]
    else:
        nearest = [_nearest(name, KINDS)]
    full = f"{section}.{name}" if section else name
    return f"{full} is unknown, the nearest known is {' or '.join(nearest)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    return get_close_matches(name, list(known), n=1, cutoff=0)[0]


class _Loader(yaml.SafeLoader):
    """YAML loader that refuses a key that stands twice, and takes 1e-4 for a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                mark = node.value[place][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"{key} stands twice", mark)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)
