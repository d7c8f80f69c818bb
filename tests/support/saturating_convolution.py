"""The U8S8 convolution kernel of CPUs without VNNI in numpy: `vpmaddubsw` sums pairs in 16 bits."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
from numpy.lib.stride_tricks import sliding_window_view
from onnx import helper, numpy_helper

LAYOUTS = {"NCHW": (0, 1, 2), "NHWC": (1, 2, 0)}  # order of channel, row, column in a sum


class Convolution(NamedTuple):
    """A quantised convolution with the activations that reach it.

    Attributes:
        patches: Activations of every output place, `[places, groups, channels, kh, kw]`, uint8.
        weights: `[groups, outputs, channels, kh, kw]`, int8.
        zero: Zero point of the activations.
        scales: Of a sum, `[groups, outputs]`.
        answers: Float32 output of the unfused node, `[places, groups, outputs]`; without bias.
    """

    patches: np.ndarray
    weights: np.ndarray
    zero: int = 0
    scales: np.ndarray | None = None
    answers: np.ndarray | None = None


def convolutions(content: bytes, images: np.ndarray) -> Iterator[Convolution]:
    """Yield the quantised convolutions of a graph as they see some images."""
    model = onnx.load_model_from_string(content)
    makers = {output: node for node in model.graph.node for output in node.output}
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    quantised = [
        node
        for node in model.graph.node
        if node.op_type == "Conv" and _is_int8(makers.get(node.input[1]), values)
    ]
    sources = [makers[node.input[0]] for node in quantised]
    names = [name for node, one in zip(quantised, sources, strict=True)
             for name in (one.input[0], node.output[0])]  # fmt: skip
    seen = _run(model, names, images)
    for node, source, pixels, maps in zip(quantised, sources, seen[::2], seen[1::2], strict=True):
        factors = makers[node.input[1]].input
        told = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        weights, groups, zero = values[factors[0]], told.get("group", 1), values[source.input[2]]
        yield Convolution(
            patches=_patches(pixels, int(zero), weights.shape[2:], told),
            weights=weights.reshape(groups, -1, *weights.shape[1:]),
            zero=int(zero),
            scales=(values[source.input[1]] * values[factors[1]]).reshape(groups, -1),
            answers=maps.transpose(0, 2, 3, 1).reshape(-1, groups, weights.shape[0] // groups),
        )


def exact(conv: Convolution, layout: str = "NCHW") -> np.ndarray:
    """Return the sums, `[places, groups, outputs]`, as CPUs with VNNI count them."""
    return _pair_sums(conv, layout).sum(-1)


def saturating(conv: Convolution, layout: str = "NCHW") -> np.ndarray:
    """Return the sums, `[places, groups, outputs]`, with pairs of products kept in 16 bits."""
    return _pair_sums(conv, layout).clip(-32768, 32767).sum(-1)


def _pair_sums(conv: Convolution, layout: str) -> np.ndarray:
    patches, weights = (_flat(values, layout) for values in (conv.patches, conv.weights))
    products = patches[:, :, None].astype(np.int32) * weights[None]  # [places, groups, outputs, k]
    products = np.pad(products, [(0, 0)] * 3 + [(0, products.shape[-1] % 2)])
    return products.reshape(*products.shape[:-1], -1, 2).sum(-1)


def _flat(values: np.ndarray, layout: str) -> np.ndarray:
    order = (0, 1, *(2 + axis for axis in LAYOUTS[layout]))
    return values.transpose(order).reshape(*values.shape[:2], -1)


def _is_int8(node: onnx.NodeProto | None, values: dict[str, np.ndarray]) -> bool:
    if node is None or node.op_type != "DequantizeLinear" or node.input[0] not in values:
        return False
    return values[node.input[0]].dtype == np.int8


def _run(model: onnx.ModelProto, names: list[str], images: np.ndarray) -> list[np.ndarray]:
    """Return values inside a graph; unfused, so that the host's int8 kernels have no part in it."""
    shown = onnx.shape_inference.infer_shapes(model)
    there = {edge.name for edge in shown.graph.output}
    shown.graph.output.extend(
        edge for edge in shown.graph.value_info if edge.name in {*names} - there
    )
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(shown.SerializeToString(), options)
    return session.run(names, {"images": images})


def _patches(pixels: np.ndarray, zero: int, kernel: tuple[int, ...], told: dict) -> np.ndarray:
    """Return what each output place sums over; padding is the zero point."""
    top, left, bottom, right = told.get("pads", [0] * 4)
    edges = ((0, 0), (0, 0), (top, bottom), (left, right))
    padded = np.pad(pixels, edges, constant_values=zero)
    rows, columns = told.get("strides", [1, 1])
    windows = sliding_window_view(padded, kernel, (2, 3))[:, :, ::rows, ::columns]
    channels, groups = pixels.shape[1], told.get("group", 1)
    places = windows.transpose(0, 2, 3, 1, 4, 5)  # [n, h, w, channels, kh, kw]
    return places.reshape(-1, groups, channels // groups, *kernel)
