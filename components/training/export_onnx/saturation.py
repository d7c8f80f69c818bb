"""Check that int8 weights cannot saturate the 16-bit sums of CPUs without VNNI.

ONNX Runtime multiplies unsigned activations by signed weights. Without VNNI the instruction
`vpmaddubsw` adds two neighbouring products in 16 bits and saturates: with weights beyond 64
one package answers differently on two hosts.
"""

import onnx
from onnx import TensorProto, numpy_helper

from components.shared.contracts.errors import UserError

MAX_ACTIVATION = 255
MAX_PAIR_SUM = 32767  # of two neighbouring products, in 16 bits
MAX_WEIGHT = MAX_PAIR_SUM // (2 * MAX_ACTIVATION)


def check_saturation(graph: bytes) -> None:
    """Refuse a quantised graph that could answer differently on a CPU without VNNI.

    Raises:
        UserError: Naming the first int8 weights outside of -64 to 64.
    """
    for tensor in onnx.load_model_from_string(graph).graph.initializer:
        if tensor.data_type != TensorProto.INT8:
            continue
        values = numpy_helper.to_array(tensor)
        low, high = int(values.min(initial=0)), int(values.max(initial=0))
        if low < -MAX_WEIGHT or high > MAX_WEIGHT:
            raise UserError(
                f"the int8 weights {tensor.name} run from {low} to {high}, expected "
                f"{-MAX_WEIGHT} to {MAX_WEIGHT}: beyond it a CPU without VNNI answers differently"
            )
