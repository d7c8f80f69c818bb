"""Check an ONNX graph: no external weights, standard operators only.

A graph could otherwise read other files or run code that is not ONNX Runtime's own.
"""

from collections.abc import Iterator

import onnx
from google.protobuf.message import DecodeError, Message

from components.shared.contracts.model import PackageError, PackageLayout

MODEL = PackageLayout("").model.name
STANDARD_DOMAINS = ("", "ai.onnx")


def check_graph(content: bytes, name: str) -> None:
    """Check that a graph has no external weights and no custom operators.

    Args:
        content: The ONNX file.
        name: Name of the model in messages.

    Raises:
        PackageError: If it is no ONNX model, keeps weights in another file, or uses an
            operator outside the standard.
    """
    try:
        model = onnx.load_model_from_string(content)
    except DecodeError as cause:
        raise PackageError(f"{name}: {MODEL} is no ONNX model: {cause}") from cause
    for imported in model.opset_import:
        _check_domain(imported.domain, "the graph", name)
    for message in _inside(model):
        if isinstance(message, onnx.NodeProto):
            _check_domain(message.domain, f"{message.op_type} {message.name}", name)
        elif isinstance(message, onnx.TensorProto) and (
            message.data_location == onnx.TensorProto.EXTERNAL or message.external_data
        ):
            raise PackageError(f"{name}: the weights {message.name} lie in another file")


def _check_domain(domain: str, user: str, name: str) -> None:
    if domain not in STANDARD_DOMAINS:
        raise PackageError(
            f"{name}: {user} is of the operator domain {domain!r}, expected the standard one"
        )


def _inside(message: Message) -> Iterator[Message]:
    """Yield all nested messages, such as nodes and tensors in functions and branches."""
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        for child in value if field.is_repeated else (value,):
            yield child
            yield from _inside(child)
