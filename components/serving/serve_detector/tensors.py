"""Parse requests and write answers of the Open Inference Protocol, in JSON and binary tensors.

Source: https://github.com/kserve/open-inference-protocol, with Triton's extension for binary
tensor data.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, StrictBool, StrictInt, StrictStr, ValidationError

from components.shared.contracts.errors import UserError
from components.shared.contracts.model import FOUND_CLASSES, INPUT
from components.shared.inference.picture import Floats
from components.shared.traffic.http_errors import HttpError

MAX_IMAGES = 16  # of one request
MAX_JSON_IMAGES = 2  # of one request in JSON: the parser holds the GIL
NUMBER_BYTES = 24  # of one number in JSON, at most
MAX_DESCRIPTION_BYTES = 65_536  # of a request without its numbers
JSON_LENGTH = "inference-header-content-length"  # bytes of JSON, then come tensors

Size = tuple[int, int, int]


class Parameters(BaseModel):
    """Parameters of a tensor in a request."""

    binary_data_size: StrictInt | None = None
    binary_data: StrictBool | None = None
    binary_data_output: StrictBool | None = None


class Tensor(BaseModel):
    """One input of a request."""

    name: StrictStr
    shape: tuple[StrictInt, ...]
    datatype: StrictStr
    parameters: Parameters = Parameters()
    data: Any = None


class Output(BaseModel):
    """A requested output."""

    name: StrictStr
    parameters: Parameters = Parameters()


class Inference(BaseModel):
    """An inference request."""

    id: StrictStr | None = Field(default=None, max_length=200)
    parameters: Parameters = Parameters()
    inputs: tuple[Tensor, ...]
    outputs: tuple[Output, ...] | None = None


class Answer(NamedTuple):
    """The body of an answer; its first `json_bytes` bytes are JSON, None if all are."""

    content: bytes
    json_bytes: int | None


def max_bytes(size: Size) -> int:
    """Return the maximum size of a request body for a model, in bytes.

    Args:
        size: Size of the input of the model: channels, height, width.
    """
    numbers = int(np.prod(size))
    each = max(MAX_IMAGES * 4, MAX_JSON_IMAGES * NUMBER_BYTES)
    return numbers * each + MAX_DESCRIPTION_BYTES


def read_request(body: bytes, json_length: str | None, size: Size) -> tuple[Inference, Floats]:
    """Parse a request, and return it with its images, `[n, 3, h, w]`.

    Args:
        body: JSON, followed by the tensor if that is binary.
        json_length: Header with the length of the JSON in bytes; None if there is none.
        size: Size of the input of the model: channels, height, width.

    Raises:
        HttpError: 400, with the first error.
    """
    described, binary = _parts(body, json_length)
    try:
        inference = Inference.model_validate_json(described)
    except ValidationError as cause:
        first = cause.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "all of it"
        reason = f"the request is no inference request: {place}: {first['msg']}"
        raise _wrong(reason[:300]) from cause
    names = [tensor.name for tensor in inference.inputs]
    if names != [INPUT]:
        raise _wrong(f"the inputs are {names[:3]}, expected one, {INPUT!r}")
    tensor = inference.inputs[0]
    if tensor.datatype != "FP32":
        raise _wrong(f"{INPUT} is of {tensor.datatype[:20]!r}, expected 'FP32'")
    most = MAX_IMAGES if binary is not None else MAX_JSON_IMAGES
    if tensor.shape[1:] != size or not 1 <= tensor.shape[0] <= most:
        raise _wrong(
            f"{INPUT} has the shape {list(tensor.shape[:6])}, expected [1 to {most}, "
            f"{', '.join(map(str, size))}]"
        )
    values = _numbers(tensor.data) if binary is None else _binary(tensor, binary)
    count = int(np.prod(tensor.shape))
    if values.size != count:
        raise _wrong(f"{INPUT} has {values.size:,} values, expected {count:,} by its shape")
    with np.errstate(over="ignore"):
        images = values.astype(np.float32, copy=False).reshape(tensor.shape)
    if not np.isfinite(images).all():
        raise _wrong(f"{INPUT} has a value that is not finite, expected 0 to 1")
    return inference, images


def write_answer(
    inference: Inference,
    request_id: str,
    head: dict[str, str],
    tensors: dict[str, NDArray[np.generic]],
) -> Answer:
    """Return the answer to a request, as JSON or JSON with binary tensors.

    Args:
        inference: The request.
        request_id: Id of the answer if the request has none.
        head: `model_name` and `model_version`.
        tensors: All outputs of the graph, by name.

    Raises:
        HttpError: 400, if a requested output does not exist.
        UserError: If an output is not finite, which inputs far from 0 to 1 may cause.
    """
    asked = inference.outputs or tuple(Output(name=name) for name in tensors)
    outputs: list[dict[str, Any]] = []
    binaries: list[bytes] = []
    for output in asked:
        if output.name not in tensors:
            raise _wrong(f"the output {output.name[:80]!r} is none, expected {list(tensors)}")
        values = tensors[output.name]
        if not np.isfinite(values).all():
            raise UserError(f"the model gives no finite {output.name} for these {INPUT}")
        header = {"name": output.name, "datatype": datatype(output.name), "shape": values.shape}
        whole = inference.parameters.binary_data_output
        if output.parameters.binary_data if output.parameters.binary_data is not None else whole:
            binaries.append(values.astype(values.dtype.newbyteorder("<")).tobytes())
            outputs.append(header | {"parameters": {"binary_data_size": len(binaries[-1])}})
        else:
            outputs.append(header | {"data": values.ravel().tolist()})
    described = _Described(id=inference.id or request_id, **head, outputs=outputs)
    content = described.model_dump_json().encode()
    if not binaries:
        return Answer(content, None)
    return Answer(b"".join((content, *binaries)), len(content))


def datatype(output: str) -> str:
    """Return the datatype of an output in the protocol."""
    return "INT64" if output == FOUND_CLASSES else "FP32"


class _Described(BaseModel):
    id: str
    model_name: str
    model_version: str
    outputs: list[dict[str, Any]]


def _parts(body: bytes, json_length: str | None) -> tuple[bytes, bytes | None]:
    """Return the JSON of a request, and its binary data or None."""
    if json_length is None:
        return body, None
    if not json_length.isdecimal() or not 0 < int(json_length[:12]) <= len(body):
        raise _wrong(
            f"{JSON_LENGTH} is {json_length[:20]!r}, expected the bytes of JSON, "
            f"at most {len(body):,}"
        )
    length = int(json_length)
    return body[:length], body[length:] if length < len(body) else None


def _numbers(data: Any) -> NDArray[np.number]:
    try:
        values = np.array(data)
    except (ValueError, OverflowError) as cause:
        raise _wrong(
            f"the data of {INPUT} are lists of unlike lengths, expected numbers"
        ) from cause
    if values.dtype.kind not in "fiu":
        raise _wrong(f"the data of {INPUT} are no numbers, expected a list of numbers")
    return values


def _binary(tensor: Tensor, binary: bytes) -> NDArray[np.number]:
    size = tensor.parameters.binary_data_size
    expected = 4 * int(np.prod(tensor.shape))
    if tensor.data is not None or size != expected or len(binary) != expected:
        raise _wrong(
            f"{INPUT} has binary_data_size {size}, and {len(binary):,} bytes follow the JSON, "
            f"expected {expected:,} by its shape and no data in the JSON"
        )
    return np.frombuffer(binary, "<f4")


def _wrong(sentence: str) -> HttpError:
    return HttpError(400, sentence)
