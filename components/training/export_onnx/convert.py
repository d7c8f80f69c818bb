"""Convert a TensorFlow function to one float32 ONNX graph with a dynamic batch dimension."""

import onnx
import tf2onnx

from components.shared.network.tensors import Serve
from components.training.export_onnx.canonical import canonical_graph

OPSET = 18


def convert(serve: Serve) -> bytes:
    """Return a serving function as ONNX; the same function gives the same bytes anywhere.

    Args:
        serve: A `tf.function` with an input signature of `images`, that returns a dict of
            `boxes`, `scores` and `embedding`.
    """
    model, _ = tf2onnx.convert.from_function(
        serve, input_signature=serve.input_signature, opset=OPSET
    )
    canonical = canonical_graph(model)
    onnx.checker.check_model(canonical, full_check=True)
    return bytes(canonical.SerializeToString(deterministic=True))
