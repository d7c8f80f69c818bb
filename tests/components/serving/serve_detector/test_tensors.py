import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serving.serve_detector.tensors import (
    MAX_IMAGES,
    Inference,
    max_bytes,
    read_request,
    write_answer,
)
from components.shared.contracts.errors import UserError
from components.shared.traffic.http_errors import HttpError

SIZE = (3, 2, 2)
HEAD = {"model_name": "toys", "model_version": "f" * 64}
finite = st.floats(-(2.0**99), 2.0**99, width=32)
images = st.lists(finite, min_size=12, max_size=12).map(
    lambda values: np.array(values, np.float32).reshape(1, *SIZE)
)


def described(values, **changes):
    tensor = {"name": "images", "shape": list(values.shape), "datatype": "FP32"}
    return {"inputs": [tensor | changes]}


def in_json(values, **changes):
    data = {"data": values.ravel().tolist()}
    return json.dumps(described(values, **(data | changes))).encode(), None


def binary(values, size=None, behind=None, **changes):
    behind = values.astype("<f4").tobytes() if behind is None else behind
    size = len(behind) if size is None else size
    head = json.dumps(described(values, parameters={"binary_data_size": size}, **changes)).encode()
    return head + behind, str(len(head))


@given(images)
def test_the_same_images_arrive_in_json_and_in_bytes(values):
    for request in (in_json(values), binary(values)):
        _, arrived = read_request(*request, SIZE)

        assert arrived.dtype == np.float32
        assert np.array_equal(arrived, values)


@given(images)
def test_nested_lists_are_read_as_flat_ones(values):
    _, arrived = read_request(*in_json(values, data=values.tolist()), SIZE)

    assert np.array_equal(arrived, values)


ONE = np.full((1, *SIZE), 0.5, np.float32)
BYTES = ONE.tobytes()
NOT_FINITE = [np.nan, np.inf, -np.inf]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        *((in_json(np.full_like(ONE, value)), "not finite") for value in NOT_FINITE),
        *((binary(np.full_like(ONE, value)), "not finite") for value in NOT_FINITE),
        (in_json(ONE, data=[1e308] * 12), "not finite"),
        (in_json(ONE, data=[None] * 12), "no numbers"),
        (in_json(ONE, data=["a"] * 12), "no numbers"),
        (in_json(ONE, data=["1.5"] * 12), "no numbers"),
        (in_json(ONE, data=[True] * 12), "no numbers"),
        (in_json(ONE, data={}), "no numbers"),
        (in_json(ONE, data=[10**400] * 12), "no inference request|no numbers|not finite"),
        (in_json(ONE, data=[[1.0], [1.0, 2.0]]), "unlike lengths"),
        (in_json(ONE, data=[0.5] * 11), "11 values, expected 12"),
        (in_json(ONE, data=[]), "0 values, expected 12"),
        (in_json(ONE, data=None), "no numbers"),
        (in_json(ONE, datatype="FP64"), "expected 'FP32'"),
        (in_json(ONE, datatype=None), "datatype"),
        (in_json(ONE, name="image"), "expected one, 'images'"),
        (in_json(ONE, shape=[0, *SIZE]), "expected .1 to 2, 3, 2, 2"),
        (in_json(ONE, shape=[3, *SIZE]), "expected .1 to 2, 3, 2, 2"),
        (in_json(ONE, shape=[-1, *SIZE]), "expected .1 to 2"),
        (in_json(ONE, shape=[]), "expected .1 to 2"),
        (in_json(ONE, shape=[1.5, *SIZE]), "shape"),
        (in_json(ONE, shape=["1", *SIZE]), "shape"),
        (binary(ONE, size=0), "binary_data_size 0"),
        (binary(ONE, size=-1), "binary_data_size -1"),
        (binary(ONE, size=2**63), "binary_data_size|no inference"),
        (binary(ONE, size="many"), "binary_data_size"),
        (binary(ONE, size=48, behind=BYTES[:-1]), "47 bytes follow"),
        (binary(ONE, behind=BYTES[:24]), "24 bytes follow"),
        (binary(ONE, behind=BYTES * 2), "96 bytes follow"),
        (binary(ONE, shape=[MAX_IMAGES + 1, *SIZE]), "expected .1 to 16"),
        (binary(ONE, data=[0.5]), "no data in the JSON"),
        *(((binary(ONE)[0], length), "bytes of JSON") for length in ("0", "-1", "abc", "", "9999")),
        ((binary(ONE)[0], None), "no inference request"),
        ((b"{", None), "no inference request"),
        ((b"[]", None), "no inference request"),
        ((b'{"inputs":[]}', None), "expected one"),
        ((b"[" * 100_000, None), "no inference request"),
        ((b"", None), "no inference request"),
    ],
)  # fmt: skip
def test_a_clients_mistake_is_a_400_with_a_sentence(request_, told):
    with pytest.raises(HttpError, match=told) as declined:
        read_request(*request_, SIZE)

    assert declined.value.status == 400
    assert len(str(declined.value)) < 400


@given(st.binary(max_size=200), st.none() | st.text(max_size=5))
def test_whatever_comes_is_refused_or_read(body, length):
    with pytest.raises(HttpError):
        read_request(body, length, SIZE)


def test_the_largest_requests_that_are_taken_fit():
    many = np.full((MAX_IMAGES, *SIZE), 1 / 3, np.float32)
    numbers = np.full((2, *SIZE), -2.2250738585072014e-300)

    assert len(binary(many)[0]) <= max_bytes(SIZE)
    assert len(in_json(numbers)[0]) <= max_bytes(SIZE)


def inference(**more):
    return Inference(inputs=(), **more)


TENSORS = {"boxes": np.ones((1, 2, 4), np.float32), "found_classes": np.ones((1, 2), np.int64)}


def test_only_what_is_asked_for_is_answered():
    answer = write_answer(inference(outputs=[{"name": "boxes"}]), "r", HEAD, TENSORS)

    assert [output["name"] for output in json.loads(answer.content)["outputs"]] == ["boxes"]


def test_an_output_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(HttpError, match=r"'masks' is none, expected \['boxes', 'found_classes'\]"):
        write_answer(inference(outputs=[{"name": "masks"}]), "r", HEAD, TENSORS)


def test_outputs_in_bytes_stand_behind_the_json_in_its_order():
    asked = inference(
        id="é",
        parameters={"binary_data_output": True},
        outputs=[
            {"name": "found_classes"},
            {"name": "boxes", "parameters": {"binary_data": False}},
        ],
    )
    answer = write_answer(asked, "r", HEAD, TENSORS)
    told = json.loads(answer.content[: answer.json_bytes])

    assert told["id"] == "é"
    assert answer.content[answer.json_bytes :] == TENSORS["found_classes"].tobytes()
    assert told["outputs"][0]["parameters"] == {"binary_data_size": 16}
    assert told["outputs"][1]["data"] == [1.0] * 8


@pytest.mark.parametrize("value", NOT_FINITE)
def test_no_answer_holds_a_number_that_is_not_finite(value):
    with pytest.raises(UserError, match="the model gives no finite boxes"):
        write_answer(inference(), "r", HEAD, {"boxes": np.full((1, 1, 4), value, np.float32)})
