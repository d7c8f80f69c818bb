"""Labels and corrections over HTTP become events that name the reviewer and the answer."""

import json
from datetime import UTC, datetime

import pytest

from components.shared.contracts.events import FRAMES_TOPIC, FrameLabelled, PredictionCorrected
from components.shared.contracts.messages import parse_event
from tests.support.gateway import DATASET
from tests.support.read_topic import read_topic

SHA256, MODEL = "a" * 64, "b" * 64
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CAR = {"x_min": 1.0, "y_min": 2.0, "x_max": 30.0, "y_max": 20.0, "label": "car"}
LABELS, CORRECTIONS = f"{DATASET}/labels", f"{DATASET}/corrections"


def events(gateway):
    return [parse_event(message).data for message in read_topic(gateway.stream, FRAMES_TOPIC)]


@pytest.fixture
def frame(gateway):
    gateway.execute(
        "INSERT INTO silver.frames VALUES ('toys', %s, 'uri', 64, 48, 9, 'north', %s, 'a.jpg', "
        "'g', NULL, 'e')",
        (SHA256, NOON),
    )


@pytest.fixture
def answer(gateway):
    gateway.execute(
        "INSERT INTO silver.predictions (event_id, dataset, sha256, request_id, camera, model, "
        "width, height, boxes, latency_ms, predicted_at) "
        "VALUES ('e', 'toys', %s, 'r1', 'north', %s, 64, 48, %s, 5, %s)",
        (SHA256, MODEL, json.dumps([CAR | {"score": 0.9}]), NOON),
    )


def labelled(gateway, **more):
    body = {"labels": [{"sha256": SHA256, "boxes": [CAR]} | more]}
    return gateway.client.post(LABELS, json=body, headers=gateway.key("reviewer", name="anna"))


def corrected(gateway, **more):
    body = {"corrections": [{"request_id": "r1", "boxes": [CAR]} | more]}
    return gateway.client.post(CORRECTIONS, json=body, headers=gateway.key("reviewer", name="anna"))


def test_a_label_names_its_reviewer_and_the_size_of_its_frame(gateway, frame):
    assert labelled(gateway).json() == {"accepted": 1}

    (event,) = events(gateway)
    assert isinstance(event, FrameLabelled)
    assert (event.labelled_by, event.width, event.height) == ("anna", 64, 48)


def test_a_label_of_an_unknown_frame_is_refused(gateway):
    reply = labelled(gateway)

    assert reply.status_code == 404
    assert f"no frame {SHA256} in toys" in reply.json()["error"]


@pytest.mark.parametrize(
    ("box", "sentence"),
    [
        (CAR | {"label": "tram"}, "no class 'tram', expected car, bus"),
        (CAR | {"x_max": 65.0}, "outside 0 to 64"),
        (CAR | {"x_max": 0.5}, "expected left to right"),
        (CAR | {"score": 1}, "Extra inputs"),
    ],
)
def test_a_box_that_does_not_fit_is_named_and_nothing_is_sent(gateway, frame, box, sentence):
    reply = labelled(gateway, boxes=[CAR, box])

    assert reply.status_code == 422
    assert sentence in reply.json()["error"]
    assert events(gateway) == []


def test_of_several_labels_all_are_sent_or_none(gateway, frame):
    body = {"labels": [{"sha256": SHA256, "boxes": []}, {"sha256": "c" * 64, "boxes": []}]}
    reply = gateway.client.post(LABELS, json=body, headers=gateway.key("reviewer"))

    assert reply.status_code == 404
    assert events(gateway) == []


def test_a_correction_names_the_answer_its_model_and_what_was_wrong(gateway, frame, answer):
    bus = CAR | {"label": "bus"}
    (told,) = corrected(gateway, boxes=[bus]).json()["corrections"]

    (event,) = events(gateway)
    assert told == {
        "request_id": "r1", "sha256": SHA256, "faults": ["wrong_label"], "frame_kept": True
    }  # fmt: skip
    assert isinstance(event, PredictionCorrected)
    assert (event.model, event.faults, event.corrected_by) == (MODEL, ("wrong_label",), "anna")


def test_an_answer_that_is_accepted_has_no_fault(gateway, frame, answer):
    assert corrected(gateway).json()["corrections"][0]["faults"] == []


def test_the_reviewer_s_faults_hold_where_they_are_given(gateway, answer):
    reply = corrected(gateway, faults=["wrong_box"])

    assert reply.json()["corrections"][0]["faults"] == ["wrong_box"]


def test_a_correction_says_if_its_picture_was_not_kept(gateway, answer):
    assert corrected(gateway).json()["corrections"][0]["frame_kept"] is False


def test_a_correction_of_an_unknown_answer_is_refused(gateway):
    reply = corrected(gateway)

    assert reply.status_code == 404
    assert "no answer 'r1' in toys" in reply.json()["error"]
