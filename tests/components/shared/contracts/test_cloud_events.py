"""CloudEvents as normal producers write them, and the digest of what they say."""

import base64
import json
from datetime import UTC, datetime
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.contracts.cloud_events import Envelope, EventError
from components.shared.contracts.events import DatasetDeclared
from components.shared.contracts.messages import event_of, parse_event
from components.shared.contracts.record import canonical, digest_of
from pipelines.events.examples import EXAMPLES, example
from tests.support.generated_events import any_texts, events

TIME = datetime(2024, 5, 1, tzinfo=UTC)
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


def labelled(**attributes) -> bytes:
    return json.dumps(example("frame.labelled") | attributes).encode()


def binary(message: dict, content_type: bytes = b"application/json") -> tuple[bytes, list]:
    attributes = {name: value for name, value in message.items() if name != "data"}
    attributes.pop("datacontenttype", None)
    headers = [(f"ce_{name}", str(value).encode()) for name, value in attributes.items()]
    return json.dumps(message["data"]).encode(), [*headers, ("content-type", content_type)]


def attributes(envelope: Envelope) -> dict:
    return envelope.model_dump(exclude={"data"})


@given(events())
def test_what_is_sent_is_what_is_read(data):
    sent = event_of(data, "/tests", TIME)

    for headers in ((), STRUCTURED):
        read = parse_event(sent.body, headers)
        assert read.data == data
        assert attributes(read.envelope) == attributes(sent)


@given(events())
def test_the_digest_is_the_id_that_our_senders_have_always_given(data):
    parsed = parse_event(event_of(data, "/tests", TIME).body)

    assert parsed.content == canonical(data.model_dump(mode="json"))
    assert parsed.digest == digest_of([data.TYPE, data.model_dump(mode="json")])
    assert parsed.envelope.id == parsed.digest


@given(events(), st.uuids(), st.sampled_from(["/a", "urn:b", "https://c/d?e"]))
def test_the_digest_depends_on_the_content_alone(data, other_id, source):
    sent = event_of(data, "/tests", TIME).model_dump(mode="json")
    other = sent | {"id": str(other_id), "source": source, "time": None, "subject": "x"}

    assert parse_event(json.dumps(other, indent=1).encode()).digest == sent["id"]


def test_data_that_come_twice_are_read_as_json_has_it_the_last_ones():
    ours = event_of(EXAMPLES["frame.labelled"], "/tests", TIME)
    other = json.dumps(DATA | {"labelled_by": "bob"}).encode()

    for body in (
        ours.body[:-1] + b',"data":' + other + b"}",
        ours.body.replace(b',"datacontenttype"', b',"data":' + other + b',"datacontenttype"'),
    ):
        parsed = parse_event(body)
        assert parsed.data.labelled_by == json.loads(parsed.content)["labelled_by"] == "bob"
        assert parsed.digest != parsed.envelope.id


@given(events())
def test_both_content_modes_say_the_same(data):
    message = event_of(data, "/tests", TIME).model_dump(mode="json")
    body, headers = binary(message)

    read, other = parse_event(body, headers), parse_event(canonical(message).encode(), STRUCTURED)
    assert attributes(read.envelope) == attributes(other.envelope)
    assert read[1:] == other[1:]


DATA = example("frame.labelled")["data"]
WRITTEN = {
    "a UUID as id": labelled(id="7d0f3b9a-6a0c-4f4e-9a53-3f0f4b8a6e11"),
    "milliseconds of nothing": labelled(time="2026-05-01T07:30:00.000Z"),
    "an offset": labelled(time="2026-05-01T09:30:00+02:00"),
    "no time": json.dumps({k: v for k, v in example("frame.labelled").items() if k != "time"}),
    "a null attribute": labelled(time=None, datacontenttype=None, subject=None),
    "subject and traceparent": labelled(subject="x", traceparent="00-0af7651916cd43dd-01", n=1),
    "JSON with a charset": labelled(datacontenttype="application/json; charset=utf-8"),
    "a byte order mark": b"\xef\xbb\xbf" + labelled(),
    "1 for 1.0": labelled().replace(b"12.0", b"12"),
    "a schema": labelled(dataschema="https://example.com/frame.labelled.schema.json"),
    "data in base64": json.dumps(
        {name: value for name, value in example("frame.labelled").items() if name != "data"}
        | {"data_base64": base64.b64encode(json.dumps(DATA).encode()).decode()}
    ),
}  # fmt: skip


@pytest.mark.parametrize("body", WRITTEN.values(), ids=WRITTEN)
def test_what_a_normal_producer_writes_is_read(body):
    body = body.encode() if isinstance(body, str) else body

    for headers in ((), STRUCTURED):
        parsed = parse_event(body, headers)
        assert parsed.content == parse_event(labelled()).content


def test_a_split_that_is_missing_or_null_is_the_same():
    missing, null = example("frame.captured"), example("frame.captured")
    null["data"] = null["data"] | {"split": None}

    read = [parse_event(json.dumps(message).encode()) for message in (missing, null)]
    assert read[0].digest == read[1].digest


def test_extension_attributes_are_kept():
    body, headers = binary(example("frame.labelled") | {"traceparent": "00-1", "subject": "é"})

    assert parse_event(body, headers).envelope.extensions == {
        "traceparent": "00-1", "subject": "é",
    }  # fmt: skip


def test_headers_that_are_no_attributes_may_be_binary():
    body, headers = binary(example("frame.labelled"))

    read = parse_event(body, [("trace-bin", b"\xff\xfe"), *headers])

    assert read == parse_event(body, headers)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (labelled(specversion="0.3"), ()),
        (labelled(id=""), ()),
        (labelled(id="x" * 201), ()),
        (labelled(source="x" * 401), ()),
        (labelled(datacontenttype="text/xml"), ()),
        (labelled(time="0001-01-01T00:00:00+14:00"), ()),
        (labelled(time="9999-12-31T23:59:59-14:00"), ()),
        (labelled(other={"a": 1}), ()),
        (labelled(data=[1]), ()),
        (labelled(data=None), ()),
        (labelled(data_base64="!").replace(b'"data"', b'"_"'), ()),
        (b"[1]", ()),
        (labelled(), [("content-type", b"application/cloudevents-batch+json")]),
        (b"{}", [("ce_specversion", b"1.0"), ("ce_id", b"\xff")]),
        (b"{}", [("ce_specversion", b"1.0"), ("content-type", b"text/plain")]),
        (b"{}", [("ce_specversion", None)]),
    ],
)
def test_what_is_no_event_has_that_reason(body, headers):
    with pytest.raises(EventError) as caught:
        parse_event(body, headers)

    assert caught.value.reason == "not_an_event"


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" * 100_000, b'{"a":"\\ud800"}'])
@pytest.mark.parametrize("headers", [(), binary(example("frame.labelled"))[1]], ids=["-", "binary"])
def test_what_is_no_json_has_that_reason(body, headers):
    with pytest.raises(EventError) as caught:
        parse_event(body, headers)

    assert caught.value.reason == "not_json"


@given(any_texts, st.booleans())
def test_a_text_is_stored_in_normal_form_c_however_it_was_sent(name, ascii_alone):
    data = DatasetDeclared(dataset="highway", classes=(name,))
    own = event_of(data, "/tests", TIME)
    fields = own.model_dump(mode="json") | {"data": data.model_dump(mode="json")}
    other = json.dumps(fields, ensure_ascii=ascii_alone).encode()

    for message in (own.body, other):
        parsed = parse_event(message)
        assert parsed.data.classes == (normalize("NFC", name),)
        assert json.loads(parsed.content)["classes"] == [normalize("NFC", name)]
        assert parsed.digest == own.id
