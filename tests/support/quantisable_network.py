"""A network of three convolutions, and images to calibrate it on."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

DICE = np.random.default_rng(0)
IMAGES = (DICE.integers(0, 256, (12, 3, 16, 16)) / 255).astype(np.float32)


def small_network():
    """Three convolutions, two of which share their shift, and an answer behind them."""
    shift = np.zeros(8, np.float32)
    weights = {
        f"w{n}": (DICE.standard_normal((8, taken, 3, 3)) / 9).astype(np.float32)
        for n, taken in enumerate((3, 8, 8))
    }
    nodes, maps = [], "images"
    for n, (stride, pads) in enumerate(
        (([2, 2], [0, 0, 1, 1]), ([1, 1], [1] * 4), ([1, 1], [1] * 4))
    ):
        out = f"maps{n}"
        nodes.append(
            helper.make_node(
                "Conv", [maps, f"w{n}", "shift"], [out], f"conv{n}", kernel_shape=[3, 3],
                strides=stride, pads=pads,
            )
        )  # fmt: skip
        maps = out
    flat = np.array([0, 128, 4])
    nodes += [
        helper.make_node("Reshape", [maps, "flat"], ["boxes"], "to_boxes"),
        helper.make_node("Sigmoid", ["boxes"], ["scores"], "to_scores"),
        helper.make_node("ReduceMean", ["maps1", "space"], ["embedding"], "pool", keepdims=0),
    ]
    weights |= {"shift": shift, "flat": flat, "space": np.array([2, 3])}
    return model(nodes, weights, boxes=[128, 4], scores=[128, 4], embedding=[8])


def model(nodes, weights, **outputs):
    edge = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "small", [edge("images", TensorProto.FLOAT, ["batch", 3, 16, 16])],
        [edge(name, TensorProto.FLOAT, ["batch", *shape]) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
