"""Parse operator settings, YAML in an environment variable, into a validated record."""

from typing import Any

import yaml
from pydantic import ValidationError

from components.shared.contracts.record import R, complaint
from components.shared.contracts.refusal import Refusal


def read_settings(kind: type[R], variable: str, text: str) -> R:
    """Return settings from YAML; what is not said has its default.

    Args:
        kind: What the settings are a record of.
        variable: Where the text stood, for who must mend it.
        text: YAML or JSON; empty says nothing.

    Raises:
        Refusal: If it is no YAML, or says what is no setting.

    >>> from components.shared.contracts.policy import RolloutPolicy
    >>> read_settings(RolloutPolicy, "ROLLOUT_POLICY", "haste: 9")
    Traceback (most recent call last):
    components.shared.contracts.refusal.Refusal: ROLLOUT_POLICY: haste: Extra inputs are not...
    """
    try:
        read: Any = yaml.safe_load(text) or {}
        return kind.model_validate(read)
    except yaml.YAMLError as cause:
        raise Refusal(f"{variable} is no YAML: {' '.join(str(cause).split())}") from cause
    except ValidationError as cause:
        known = ", ".join(kind.model_fields)
        raise Refusal(f"{variable}: {complaint(cause)}; settings are {known}") from cause
