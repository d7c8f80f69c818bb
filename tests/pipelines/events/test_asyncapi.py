"""The published schemas: they are what the contracts say, and they accept what senders write."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator, ValidationError

from components.shared.contracts.events import KINDS
from components.shared.contracts.messages import event_of, parse_event
from components.shared.contracts.record import canonical
from pipelines.events.asyncapi import document, files, schema_of
from pipelines.events.examples import EXAMPLES, example
from tests.support.generated_events import events

PUBLISHED = Path(__file__).parents[3] / "manifests/events"
TIME = datetime(2024, 5, 1, tzinfo=UTC)
KIND_NAMES = sorted(KINDS)


def validator(name: str) -> Draft202012Validator:
    schema = schema_of(KINDS[name])
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("name", sorted(files()))
def test_what_is_published_is_what_the_contracts_say(name):
    assert (PUBLISHED / name).read_text() == files()[name], "run: make events"


def test_nothing_else_is_published():
    assert {file.name for file in PUBLISHED.iterdir()} == set(files())


@given(events())
def test_the_schemas_accept_what_our_senders_write(data):
    envelope = event_of(data, "/tests", TIME).model_dump(mode="json")

    validator(data.TYPE).validate(envelope)


@pytest.mark.parametrize("name", KIND_NAMES)
def test_each_example_fits_its_schema_and_is_read(name):
    message = example(name)

    validator(name).validate(message)
    assert parse_event(canonical(message).encode()).data == EXAMPLES[name]


@pytest.mark.parametrize("name", KIND_NAMES)
def test_an_example_with_a_field_missing_or_unknown_fits_no_schema(name):
    for field in KINDS[name].model_json_schema()["required"]:
        message = example(name)
        del message["data"][field]
        with pytest.raises(ValidationError):
            validator(name).validate(message)
    message = example(name)
    message["data"]["colour"] = "red"
    with pytest.raises(ValidationError):
        validator(name).validate(message)


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def test_every_reference_of_the_document_leads_somewhere():
    whole = document()
    for reference in references(whole):
        place = whole
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        assert place


def test_every_type_travels_on_exactly_one_channel():
    channels = document()["channels"].values()

    assert sorted(name for channel in channels for name in channel["messages"]) == KIND_NAMES
