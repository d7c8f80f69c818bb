"""Quantise the inner convolutions of an ONNX graph to int8 after training; the last stay float32.

Weights have 7 bits and a scale for each channel, activations 8 bits and one scale for each
tensor, from the minimum and maximum on real images (calibration). Pixels are exact in 8 bits,
and integer sums are the same on every processor, also on one that rounds float32 differently
or adds products in 16 bits (`saturation`).
"""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from components.shared.contracts.model import BOXES, EMBEDDING, INPUT, SCORES
from components.training.export_onnx.canonical import canonical_graph
from components.training.export_onnx.parity import Floats

PIXELS = {"scale": np.array(1 / 255, np.float32), "zero_point": np.array(0, np.uint8)}
STEM = ([3, 3], [2, 2], [0, 0, 1, 1])  # kernel, steps, padding
FOLDED = {"kernel_shape": [2, 2], "strides": [1, 1], "pads": [0, 0, 1, 1]}


def quantise(graph: bytes, inputs: Iterable[Floats], *, reduce_range: bool = True) -> bytes:
    """Return a graph whose inner convolutions are quantised; the same on the same machine.

    Args:
        graph: A canonical graph in float32.
        inputs: Real pictures as the network takes them, each `[1, 3, h, w]`; at least one.
        reduce_range: Whether weights have 7 bits, which no CPU saturates, see `saturation`;
            with all 8 the graph is good for comparisons alone.

    Source:
        Jacob et al., "Quantization and Training of Neural Networks for Efficient
        Integer-Arithmetic-Only Inference", CVPR 2018.
    """
    model = onnx.load_model_from_string(graph)
    _own_weights(model.graph)
    # It advises a preparation that tf2onnx has done already: batch norms are folded.
    logging.getLogger().addFilter(_quiet)
    try:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "int8.onnx"
            quantize_static(
                model, file, _Pictures(inputs), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                reduce_range=reduce_range,
                nodes_to_exclude=sorted(in_float(model.graph)),
                extra_options={"TensorQuantOverrides": {INPUT: [PIXELS]}},
            )  # fmt: skip
            quantised = onnx.load(file)
    finally:
        logging.getLogger().removeFilter(_quiet)
    fold_stem(quantised.graph)
    canonical = canonical_graph(quantised)
    onnx.checker.check_model(canonical, full_check=True)
    return bytes(canonical.SerializeToString(deterministic=True))


def in_float(graph: onnx.GraphProto) -> set[str]:
    """Return the names of the nodes that stay in float32."""
    makers = {output: node for node in graph.node for output in node.output}
    stay = {makers[EMBEDDING].name}
    waiting = [makers[BOXES], makers[SCORES]]
    while waiting:  # from the answers up to the first convolutions met
        node = waiting.pop()
        stay.add(node.name)
        if node.op_type != "Conv":
            waiting += [makers[name] for name in node.input if name in makers]
    return stay


def fold_stem(graph: onnx.GraphProto) -> None:
    """Turn a first convolution of 3 x 3 in steps of 2 into one of 2 x 2 over blocks of 2 x 2.

    It says the same, from twelve channels instead of three: 8 bits are fast over channels.
    Another first convolution stays as it is.

    Args:
        graph: Quantised; changed in place.
    """
    users = {name: node for node in graph.node for name in node.input}
    enters = users[INPUT]
    leaves = users[enters.output[0]]
    conv = users[leaves.output[0]]
    attributes = {each.name: helper.get_attribute_value(each) for each in conv.attribute}
    if (attributes.get("kernel_shape"), attributes.get("strides"), attributes.get("pads")) != STEM:
        return
    makers = {output: node for node in graph.node for output in node.output}
    name = makers[conv.input[1]].input[0]
    weights = next(tensor for tensor in graph.initializer if tensor.name == name)
    weights.CopyFrom(numpy_helper.from_array(_in_blocks(numpy_helper.to_array(weights)), name))
    del conv.attribute[:]
    for attribute, value in FOLDED.items():
        conv.attribute.append(helper.make_attribute(attribute, value))
    leaves.input[0] = "blocks"
    blocks = helper.make_node("SpaceToDepth", enters.output, ["blocks"], "blocks", blocksize=2)
    graph.node.append(blocks)


def _in_blocks(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return weights `[O, C, 3, 3]` as `[O, 4 C, 2, 2]`, zeros where a block reaches further."""
    outputs, channels = weights.shape[:2]
    padded = np.pad(weights, ((0, 0), (0, 0), (0, 1), (0, 1)))
    split = padded.reshape(outputs, channels, 2, 2, 2, 2)  # block row, row, block column, column
    return split.transpose(0, 3, 5, 1, 2, 4).reshape(outputs, 4 * channels, 2, 2)


def _own_weights(graph: onnx.GraphProto) -> None:
    """Give every convolution weights of its own: the library cannot quantise shared ones."""
    weights = {tensor.name: tensor for tensor in graph.initializer}
    taken: set[str] = set()
    for node in graph.node:
        for place, name in enumerate(node.input):
            if node.op_type == "Conv" and name in weights and name in taken:
                graph.initializer.add().CopyFrom(weights[name])
                graph.initializer[-1].name = node.input[place] = f"{name}_of_{node.name}"
            taken.add(name)


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Inputs one by one, as the library asks for them."""

    def __init__(self, inputs: Iterable[Floats]) -> None:
        self._left: Iterator[Floats] = iter(inputs)

    def get_next(self) -> dict[str, Floats] | None:
        image = next(self._left, None)
        return None if image is None else {INPUT: image}


def _quiet(record: logging.LogRecord) -> bool:
    return "pre-process" not in record.getMessage()
