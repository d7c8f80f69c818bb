"""Append class-wise non-maximum suppression (NMS) to an ONNX graph as ONNX operators.

The rule is `vision.suppression`, ties included, with one difference: every raw box that
reaches the threshold is a candidate.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

from components.shared.contracts.model import (
    BOXES,
    FOUND_BOXES,
    FOUND_CLASSES,
    FOUND_SCORES,
    SCORES,
    Postprocessing,
)
from components.training.export_onnx.canonical import BATCH


def with_suppression(graph: bytes, rule: Postprocessing) -> bytes:
    """Return a graph with the additional outputs of class-wise non-maximum suppression.

    Args:
        graph: Canonical, with `boxes` `[batch, A, 4]` and `scores` `[batch, A, C]`.
        rule: Thresholds, and the most boxes of an image.

    Returns:
        The graph with `found_boxes`, `found_scores` and `found_classes`, as
        `contracts.model.PackageInfo` describes them.
    """
    model = onnx.load_model_from_string(graph)
    lengths = {
        edge.name: [each.dim_value for each in edge.type.tensor_type.shape.dim]
        for edge in model.graph.output
    }
    anchors, classes = lengths[SCORES][1:]
    most = min(rule.max_boxes, anchors * classes)
    tail = _Tail(rule, anchors, classes, most)
    model.graph.node.extend(tail.nodes)
    model.graph.initializer.extend(tail.constants)
    for name, kind, shape in (
        (FOUND_BOXES, TensorProto.FLOAT, [BATCH, most, 4]),
        (FOUND_SCORES, TensorProto.FLOAT, [BATCH, most]),
        (FOUND_CLASSES, TensorProto.INT64, [BATCH, most]),
    ):
        model.graph.output.append(helper.make_tensor_value_info(name, kind, shape))
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


class _Tail:
    """Nodes and constants of one suppression."""

    def __init__(self, rule: Postprocessing, anchors: int, classes: int, most: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        ranked, places = self._survivors(rule, anchors * classes, most)
        self._node("Identity", ranked, name=FOUND_SCORES)
        length = self._constant("anchors", np.int64(anchors))
        self._node("Div", places, length, name=FOUND_CLASSES)
        places = self._node("Unsqueeze", self._node("Mod", places, length), self._axis(2))
        corners = self._node("Expand", places, self._constant("corners", np.array([1, 1, 4])))
        self._node("GatherElements", BOXES, corners, name=FOUND_BOXES, axis=1)

    def _survivors(self, rule: Postprocessing, pairs: int, most: int) -> tuple[str, str]:
        """Return scores and places among `[classes, A]` of what stays, surest first."""
        by_class = self._node("Transpose", SCORES, perm=[0, 2, 1])
        # The operator keeps scores above the threshold, the rule also scores equal to it.
        least = np.nextafter(np.float32(rule.score_threshold), np.float32(-1))
        kept = self._node(
            "NonMaxSuppression", self._upright(), by_class,
            self._constant("most", np.array([most])),
            self._constant("iou", np.array([rule.iou_threshold], np.float32)),
            self._constant("least", np.array([least], np.float32)),
        )  # [N, 3]: image, class, anchor  # fmt: skip
        nothing = self._node("Mul", by_class, self._constant("zero", np.float32(0)))
        values = self._node("GatherND", by_class, kept)
        alone = self._node("ScatterND", nothing, kept, values)
        flat = self._node("Reshape", alone, self._constant("flat", np.array([0, pairs])))
        return self._pair("TopK", flat, self._constant("kept", np.array([most])))

    def _upright(self) -> str:
        """Return boxes with an area of 0 for inverted ones, as in the rule."""
        halves = self._pair("Split", BOXES, self._constant("halves", np.array([2, 2])), axis=2)
        return self._node("Concat", halves[0], self._node("Max", *halves), axis=2)

    def _axis(self, axis: int) -> str:
        return self._constant(f"axis{axis}", np.array([axis]))

    def _constant(self, name: str, value: ArrayLike) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), f"suppress_{name}"))
        return self.constants[-1].name

    def _node(self, kind: str, *inputs: str, name: str = "", **attributes: object) -> str:
        return self._make(kind, inputs, (name or f"suppressed_{len(self.nodes)}",), attributes)[0]

    def _pair(self, kind: str, *inputs: str, **attributes: object) -> tuple[str, str]:
        stem = f"suppressed_{len(self.nodes)}"
        first, second = self._make(kind, inputs, (f"{stem}a", f"{stem}b"), attributes)
        return first, second

    def _make(
        self,
        kind: str,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        attributes: Mapping[str, Any],
    ) -> tuple[str, ...]:
        title = f"{kind}_suppress_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, outputs, title, **attributes))
        return outputs
