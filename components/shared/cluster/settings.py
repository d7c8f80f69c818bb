"""Parse operator settings, YAML in an environment variable, into a validated record."""

from typing import Any

import yaml
from pydantic import ValidationError

from components.shared.contracts.errors import UserError
from components.shared.contracts.record import R, complaint


def read_settings(kind: type[R], variable: str, text: str) -> R:
    """Parse settings from YAML; fields that are left out have their defaults.

    Args:
        kind: Record class of the settings.
        variable: Environment variable of the text, for the error message.
        text: YAML or JSON; empty takes all defaults.

    Raises:
        UserError: If it is no YAML, has an unknown key, or a value that is not allowed.

    >>> from components.shared.contracts.record import Record
    >>> class Pods(Record):
    ...     replicas: int = 1
    >>> read_settings(Pods, "PODS", "haste: 9")
    Traceback (most recent call last):
    components.shared.contracts.errors.UserError: PODS: haste: Extra inputs are not...
    """
    try:
        read: Any = yaml.safe_load(text) or {}
        return kind.model_validate(read)
    except yaml.YAMLError as cause:
        raise UserError(f"{variable} is no YAML: {' '.join(str(cause).split())}") from cause
    except ValidationError as cause:
        known = ", ".join(kind.model_fields)
        raise UserError(f"{variable}: {complaint(cause)}; settings are {known}") from cause
