"""Every field of every contract has a type whose values can be stored; the types are listed."""

import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import annotated_types
import pytest

from components.shared import contracts
from components.shared.contracts.cloud_events import Envelope
from components.shared.contracts.events import KINDS
from components.shared.contracts.record import Record
from components.shared.contracts.values import FIRST_INSTANT, LAST_INSTANT

LISTED = Path(__file__).with_name("fields.txt")
FOR_PEOPLE = {"description", "title", "default", "examples"}
BOUNDED = {"maxLength", "pattern", "const", "enum", "format"}

for module in pkgutil.iter_modules(contracts.__path__, f"{contracts.__name__}."):
    importlib.import_module(module.name)


def records(kind: type[Record] = Record) -> Iterator[type[Record]]:
    for one in kind.__subclasses__():
        if one.__module__.startswith(contracts.__name__):
            yield one
            yield from records(one)


KNOWN = sorted(set(records()), key=lambda kind: (kind.__module__, kind.__name__))


def without_words(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        return {key: without_words(v) for key, v in schema.items() if key not in FOR_PEOPLE}
    return [*map(without_words, schema)] if isinstance(schema, list) else schema


def fields() -> Iterator[tuple[str, Any]]:
    for kind in KNOWN:
        for name, schema in kind.model_json_schema()["properties"].items():
            yield f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}.{name}", schema


def test_the_types_of_all_fields_are_those_that_are_listed(request):
    lines = [f"{name} {json.dumps(without_words(schema))}\n" for name, schema in fields()]
    if request.config.getoption("--accept"):
        LISTED.write_text("".join(lines))

    assert lines == LISTED.read_text().splitlines(keepends=True)


def parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and all that it is made of."""
    if isinstance(schema, Mapping):
        yield schema
    for value in schema.values() if isinstance(schema, Mapping) else schema:
        if isinstance(value, Mapping | list):
            yield from parts(value)


@pytest.mark.parametrize("kind", [Envelope, *KINDS.values()], ids=lambda kind: kind.__name__)
def test_texts_and_lists_of_an_event_are_bounded(kind):
    found = list(parts(kind.model_json_schema()["properties"]))
    found += parts(kind.model_json_schema().get("$defs", {}))

    assert all(BOUNDED & one.keys() for one in found if one.get("type") == "string")
    assert all("maxItems" in one for one in found if one.get("type") == "array")


@pytest.mark.parametrize("kind", KNOWN, ids=lambda kind: kind.__name__)
def test_every_number_is_finite_and_every_instant_can_be_stored(kind):
    limits = (annotated_types.Ge(FIRST_INSTANT), annotated_types.Lt(LAST_INSTANT))

    assert kind.model_config["allow_inf_nan"] is False
    for name, field in kind.model_fields.items():
        if "datetime" in repr(field.annotation):
            assert all(repr(limit) in repr(field) for limit in limits), name
