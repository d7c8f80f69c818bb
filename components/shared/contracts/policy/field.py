"""Declare a field of a policy: default, unit, description and allowed values."""

from typing import Any

from pydantic import Field
from pydantic.fields import FieldInfo

UNIT = "unit"


def limit(default: Any, unit: str, *, description: str, **allowed: Any) -> Any:
    """Return a field of a policy.

    Args:
        default: Value without a policy file.
        unit: Unit of the value, such as `s`, `MB`, `share` or `images`.
        description: What the value decides.
        allowed: Bounds of the value as pydantic names them, such as `ge` and `le`.
    """
    return Field(
        default=default, description=description, json_schema_extra={UNIT: unit}, **allowed
    )


def unit_of(field: FieldInfo) -> str:
    """Return the unit of a field."""
    described = field.json_schema_extra
    return str(described.get(UNIT, "")) if isinstance(described, dict) else ""
