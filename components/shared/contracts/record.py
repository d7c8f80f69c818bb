"""Base class of all contracts: immutable pydantic records with canonical JSON and digests."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from components.shared.contracts.errors import UserError


class Record(BaseModel):
    """Immutable record; an unknown field is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read one record from a JSON file."""
        return cls.model_validate_json(Path(path).read_bytes())

    def write(self, path: str | Path) -> None:
        """Write the record as one JSON file, making its folder if it is missing."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(canonical(self.model_dump(mode="json")) + "\n")


R = TypeVar("R", bound=Record)


_ENCODER = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    allow_nan=False,
    check_circular=False,  # a quarter of the time, and a cycle is a RecursionError all the same
)


def canonical(value: object) -> str:
    """Return the canonical JSON of a value: sorted keys, no spaces, no NaN.

    >>> canonical({"b": 1, "a": [1.5, "é"]})
    '{"a":[1.5,"é"],"b":1}'
    """
    return _ENCODER.encode(value)


def digest_of(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


class RecordError(UserError):
    """Values do not match the fields of a record."""


def make(kind: type[R], name: str, /, **fields: Any) -> R:
    """Return a record of these values.

    Args:
        kind: Class of the record.
        name: Name of the record in an error.
        fields: Its values.

    Raises:
        RecordError: If one is not what the kind expects.
    """
    try:
        return kind(**fields)
    except ValidationError as cause:
        raise RecordError(f"{name}: {complaint(cause)}") from cause


def read_lines(kind: type[R], path: str | Path) -> list[R]:
    """Read one record from each line of a JSON Lines file; a missing file has no records.

    Args:
        kind: Class of the records.
        path: The JSON Lines file.
    """
    path = Path(path)
    lines = path.read_text().splitlines() if path.exists() else []
    return [kind.model_validate_json(line) for line in lines]


def write_lines(records: Iterable[Record], path: str | Path) -> None:
    """Write records as JSON Lines, one canonical line each.

    Args:
        records: Records in order.
        path: The JSON Lines file.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lines = (canonical(record.model_dump(mode="json")) + "\n" for record in records)
    Path(path).write_text("".join(lines))


def complaint(error: ValidationError) -> str:
    """Return one line on an invalid record: field, value and what was expected."""
    first = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"])) or "record"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "string_pattern_mismatch" and "\0" in str(first["input"]):
        message = "a text holds U+0000, expected none"
    return f"{field}: {message}, got {first['input']!r}"[:500]
