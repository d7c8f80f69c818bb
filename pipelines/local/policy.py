"""Policies of a local run: the policy file over the shorter rollout of a laptop."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from components.shared.contracts.policy import Policy
from components.shared.contracts.policy.field import unit_of
from components.shared.settings.policy_file import (
    KEY,
    VARIABLE,
    Changes,
    policy_file,
    policy_with,
    read_changes,
)

# Steps of seconds, with limits that a busy laptop does not break.
LAPTOP: Changes = {
    "rollout": {
        "min_step_s": 2.0,
        "min_requests": 6,
        "look_every_s": 0.5,
        "max_ready_s": 60.0,
        "max_latency_ratio": 5.0,
        "min_latency_ms": 300.0,
        "max_latency_ms": 1500.0,
    }
}
NOWHERE: Changes = {}


class PolicyValue(NamedTuple):
    """One effective value of a policy, and where it comes from: default, laptop or file."""

    section: str
    field: str
    value: Any
    unit: str
    source: str
    description: str


def changes_of(environment: Mapping[str, str]) -> Changes:
    """Return the values of the policy file that the environment names; none without a file.

    Raises:
        UserError: If the file cannot be read, a section or field is unknown, or a value is not
            allowed.
    """
    file = policy_file(environment)
    changes = read_changes(file) if file else NOWHERE
    policy_with(changes, f"{VARIABLE}: {file.name}" if file else VARIABLE)
    return changes


def merged(changes: Changes, presets: Changes) -> Changes:
    """Return values by section and field; those of the policy file come first.

    Args:
        changes: Values of the policy file.
        presets: Values in place of defaults.
    """
    sections = [name for name in Policy.model_fields if name in changes or name in presets]
    return {name: {**presets.get(name, {}), **changes.get(name, {})} for name in sections}


def write_local_policy(
    state: Path, environment: Mapping[str, str], presets: Changes = LAPTOP
) -> dict[str, str]:
    """Write the policy file of a local run, and return the variable that names it.

    Args:
        state: State folder, for the file.
        environment: Environment variables of the user.
        presets: Values in place of defaults.

    Raises:
        UserError: If the user's policy file is not valid.
    """
    values = merged(changes_of(environment), presets)
    file = state / KEY
    policy_with(values, f"{VARIABLE}, with the values of a laptop").write(file)
    return {VARIABLE: str(file)}


def values_of(changes: Changes, presets: Changes) -> Iterator[PolicyValue]:
    """Yield every effective value, in the order of the sections.

    Args:
        changes: Values of the policy file.
        presets: Values in place of defaults.
    """
    policy = policy_with(merged(changes, presets), VARIABLE)
    for section, values in policy:
        for name, field in type(values).model_fields.items():
            source = "default"
            if name in changes.get(section, {}):
                source = "file"
            elif name in presets.get(section, {}):
                source = "laptop"
            value = getattr(values, name)
            yield PolicyValue(
                section, name, value, unit_of(field), source, field.description or ""
            )  # fmt: skip
