"""A graph of the layers that YOLOv8n is published to have, with weights made up: a yardstick.

Only the table of layers is taken from the published description: which convolution follows
which, with how many channels. It has 3.2 million parameters and 8.7 GFLOPs at 640 px, as
published, and answers raw: neither boxes nor suppression are counted against ours.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = 80
BINS = 64  # four edges of sixteen


class Layers:
    """Builds a graph layer by layer; a layer is a function of tensors' names and channels."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._dice = np.random.default_rng(0)

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, value: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def plain(self, maps: str, taken: int, given: int, kernel: int = 1, stride: int = 1) -> str:
        spread = np.sqrt(2 / (taken * kernel**2))
        weights = spread * self._dice.standard_normal((given, taken, kernel, kernel))
        return self.node(
            "Conv", maps, self.constant(weights.astype(np.float32)),
            self.constant(np.zeros(given, np.float32)),
            kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[kernel // 2] * 4,
        )  # fmt: skip

    def conv(self, maps: str, taken: int, given: int, kernel: int = 3, stride: int = 1) -> str:
        maps = self.plain(maps, taken, given, kernel, stride)
        return self.node("Mul", maps, self.node("Sigmoid", maps))

    def stage(self, maps: str, taken: int, given: int, depth: int, shortcut: bool = False) -> str:
        """Two halves, a chain of pairs of convolutions on the second, all of it mixed."""
        half = given // 2
        maps = self.conv(maps, taken, given, 1)
        ends = [self.constant(np.array([end])) for end in (0, half, given)]
        axis = self.constant(np.array([1]))
        links = [self.node("Slice", maps, ends[n], ends[n + 1], axis) for n in (0, 1)]
        for _ in range(depth):
            link = self.conv(self.conv(links[-1], half, half), half, half)
            links.append(self.node("Add", links[-1], link) if shortcut else link)
        joined = self.node("Concat", *links, axis=1)
        return self.conv(joined, (2 + depth) * half, given, 1)

    def pyramid(self, maps: str, channels: int) -> str:
        half = channels // 2
        views = [self.conv(maps, channels, half, 1)]
        for _ in range(3):
            pooled = self.node("MaxPool", views[-1], kernel_shape=[5, 5], pads=[2] * 4)
            views.append(pooled)
        return self.conv(self.node("Concat", *views, axis=1), 4 * half, channels, 1)

    def joined(self, coarse: str, fine: str) -> str:
        scale = self.constant(np.array([1, 1, 2, 2], np.float32))
        larger = self.node(
            "Resize", coarse, "", scale, mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )  # fmt: skip
        return self.node("Concat", larger, fine, axis=1)

    def head(self, maps: str, taken: int, width: int, given: int) -> str:
        maps = self.conv(self.conv(maps, taken, width), width, width)
        return self.plain(maps, width, given)


def yolo_shape(image_size: int) -> onnx.ModelProto:
    """Return the graph for square inputs of so many pixels, a multiple of 32."""
    net = Layers()
    maps = net.conv(net.conv("images", 3, 16, stride=2), 16, 32, stride=2)
    maps = net.stage(maps, 32, 32, 1, shortcut=True)
    fine = net.stage(net.conv(maps, 32, 64, stride=2), 64, 64, 2, shortcut=True)
    middle = net.stage(net.conv(fine, 64, 128, stride=2), 128, 128, 2, shortcut=True)
    coarse = net.stage(net.conv(middle, 128, 256, stride=2), 256, 256, 1, shortcut=True)
    coarse = net.pyramid(coarse, 256)
    middle = net.stage(net.joined(coarse, middle), 384, 128, 1)
    fine = net.stage(net.joined(middle, fine), 192, 64, 1)
    down = net.conv(fine, 64, 64, stride=2)
    middle = net.stage(net.node("Concat", down, middle, axis=1), 192, 128, 1)
    down = net.conv(middle, 128, 128, stride=2)
    coarse = net.stage(net.node("Concat", down, coarse, axis=1), 384, 256, 1)
    answers = []
    for maps, channels in ((fine, 64), (middle, 128), (coarse, 256)):
        answers += [net.head(maps, channels, 64, BINS), net.head(maps, channels, CLASSES, CLASSES)]
    float32, size = TensorProto.FLOAT, image_size
    graph = helper.make_graph(
        net.nodes, "yardstick",
        [helper.make_tensor_value_info("images", float32, ["batch", 3, size, size])],
        [helper.make_tensor_value_info(name, float32, ["batch", *"chw"]) for name in answers],
        net.weights,
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def gflops(model: onnx.ModelProto) -> float:
    """Return the billions of multiplications and additions of one image's convolutions."""
    shaped = onnx.shape_inference.infer_shapes(model).graph
    lengths = {
        edge.name: [each.dim_value for each in edge.type.tensor_type.shape.dim]
        for edge in shaped.value_info
    }
    lengths |= {
        edge.name: [e.dim_value for e in edge.type.tensor_type.shape.dim] for edge in shaped.output
    }
    weights = {tensor.name: tensor.dims for tensor in shaped.initializer}
    each = [
        2 * np.prod(lengths[node.output[0]][1:]) * np.prod(weights[node.input[1]][1:])
        for node in shaped.node
        if node.op_type == "Conv"
    ]
    return float(sum(each)) / 1e9
