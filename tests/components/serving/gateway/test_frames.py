"""Frames that arrive over HTTP are stored, announced once, and refused by name."""

import base64
import json

import numpy as np
import pytest

from components.shared.contracts.events import FRAMES_TOPIC, FrameCaptured, FrameRefused
from components.shared.contracts.messages import parse_event
from components.shared.store.objects import digest_bytes, frame_key
from components.shared.vision.jpeg import encode_jpeg
from tests.support.gateway import DATASET
from tests.support.read_topic import read_topic

JPEG = encode_jpeg(np.full((48, 64, 3), 90, np.uint8))
OTHER = encode_jpeg(np.full((48, 64, 3), 190, np.uint8))
IMAGE = {"Content-Type": "image/jpeg"}
FRAMES = f"{DATASET}/frames"


def events(gateway):
    return [parse_event(message).data for message in read_topic(gateway.stream, FRAMES_TOPIC)]


def test_a_jpeg_is_stored_before_its_answer_and_announced(gateway):
    when = {"camera": "gate", "captured_at": "2026-05-01T07:30:00Z"}
    answer = gateway.client.post(
        FRAMES, content=JPEG, params=when, headers=gateway.key("camera") | IMAGE
    )

    sha256 = digest_bytes(JPEG)
    assert answer.status_code == 202
    assert (
        answer.json()["frames"][0] | {"status": "stored", "sha256": sha256}
        == (answer.json()["frames"][0])
    )
    assert gateway.objects.get(frame_key(sha256)) == JPEG
    (event,) = events(gateway)
    assert isinstance(event, FrameCaptured)
    assert (event.camera, event.group, event.width) == ("gate", "gate/2026-05-01", 64)


def test_the_camera_is_the_api_key_s_name_if_the_request_names_none(gateway):
    gateway.client.post(FRAMES, content=JPEG, headers=gateway.key("camera", name="roof") | IMAGE)

    assert events(gateway)[0].camera == "roof"


def test_the_images_of_a_form_are_stored_and_a_broken_one_is_kept_with_its_reason(gateway):
    files = [
        ("images", ("a.jpg", JPEG)), ("images", ("b.jpg", JPEG[:-60])), ("images", ("c.jpg", OTHER))
    ]  # fmt: skip
    answer = gateway.client.post(FRAMES, files=files, headers=gateway.key("client"))

    told = [(one["source_name"], one["status"], one["reason"]) for one in answer.json()["frames"]]
    assert answer.status_code == 202
    assert told == [
        ("a.jpg", "stored", None), ("b.jpg", "refused", "undecodable"), ("c.jpg", "stored", None)
    ]  # fmt: skip
    assert {type(event) for event in events(gateway)} == {FrameCaptured, FrameRefused}


def test_lines_of_ndjson_have_times_and_cameras_of_their_own(gateway):
    lines = [
        {"jpeg": base64.b64encode(jpeg).decode(), "camera": camera,
         "captured_at": "2026-05-01T07:30:00+02:00"}
        for jpeg, camera in ((JPEG, "a"), (OTHER, "b"))
    ]  # fmt: skip
    answer = gateway.client.post(
        FRAMES,
        content="\n".join(map(json.dumps, lines)),
        headers=gateway.key("camera") | {"Content-Type": "application/x-ndjson"},
    )

    assert answer.status_code == 202
    assert {event.camera for event in events(gateway)} == {"a", "b"}


@pytest.mark.parametrize(
    ("kind", "body", "status", "sentence"),
    [
        ("text/plain", b"x", 415, "expected one of: image/jpeg"),
        ("application/x-ndjson", b"", 422, "the body has 0 lines, expected 1 to 1,000"),
        ("application/x-ndjson", b"{}", 422, "line 1: jpeg: Field required"),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 422, "the form has no file"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_by_name(gateway, kind, body, status, sentence):
    headers = gateway.key("camera") | {"Content-Type": kind}
    answer = gateway.client.post(FRAMES, content=body, headers=headers)

    assert answer.status_code == status
    assert sentence in answer.json()["error"]


def test_what_is_no_jpeg_is_refused_and_its_bytes_are_kept(gateway):
    answer = gateway.client.post(FRAMES, content=b"no", headers=gateway.key("camera") | IMAGE)

    (event,) = events(gateway)
    assert answer.status_code == 422
    assert answer.json()["frames"][0]["reason"] == "not_a_jpeg"
    assert isinstance(event, FrameRefused)
    assert gateway.objects.get(gateway.objects.key(event.uri)) == b"no"


@pytest.mark.parametrize("kind", ["image/jpeg", "application/x-ndjson"])
def test_an_image_that_the_detector_would_not_take_is_not_stored_either(gateway, kind):
    image = b"\xff\xd8\xff" + bytes(10_000_000)
    line = json.dumps({"jpeg": base64.b64encode(image).decode()}).encode()
    answer = gateway.client.post(
        FRAMES,
        content=image if kind == "image/jpeg" else line,
        headers=gateway.key("camera") | {"Content-Type": kind},
    )

    assert answer.status_code == 413
    assert "expected at most 10,000,000" in answer.json()["error"]


def test_an_unknown_dataset_is_refused_with_the_names_of_those_there_are(gateway):
    answer = gateway.client.post(
        "/v1/datasets/cars/frames", content=JPEG, headers=gateway.key("camera") | IMAGE
    )

    assert answer.status_code == 404
    assert "expected one of: toys" in answer.json()["error"]


def test_a_request_with_an_idempotency_key_is_done_once_and_its_answer_repeated(gateway):
    headers = gateway.key("camera") | IMAGE | {"Idempotency-Key": "a"}
    first, again = (gateway.client.post(FRAMES, content=JPEG, headers=headers) for _ in range(2))

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(events(gateway)) == 1


def test_an_idempotency_key_of_another_request_is_refused(gateway):
    headers = gateway.key("camera") | IMAGE | {"Idempotency-Key": "a"}
    gateway.client.post(FRAMES, content=JPEG, headers=headers)
    answer = gateway.client.post(FRAMES, content=OTHER, headers=headers)

    assert answer.status_code == 422
    assert "used for another request" in answer.json()["error"]


def test_a_failed_request_may_use_its_idempotency_key_again(gateway):
    headers = gateway.key("camera") | {"Idempotency-Key": "a", "Content-Type": "text/plain"}
    statuses = [
        gateway.client.post(FRAMES, content=b"x", headers=headers).status_code for _ in range(2)
    ]

    assert statuses == [415, 415]
